/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A program of the test guest: integer, x87, MMX, SSE and SSE2 computations whose results are known
 * from elsewhere (constants of mathematics, published test vectors). A line per check; exit code 1
 * if one fails.
 */
#include <emmintrin.h>
#include <math.h>
#include <mmintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void check(const char *name, int good)
{
    printf("compute: %s: %s\n", name, good ? "ok" : "FAILED");
    failures += !good;
}

/* Machin's formula in 80-bit arithmetic. */
static long double arctan_inverse(int n)
{
    long double sum = 0, term = 1.0L / n;
    for (int k = 1; k < 60; k += 2) {
        sum += (k % 4 == 1 ? term : -term) / k;
        term /= (long double)n * n;
    }
    return sum;
}

static void x87(void)
{
    long double pi = 4 * (4 * arctan_inverse(5) - arctan_inverse(239));
    check("x87 pi", fabsl(pi - 3.14159265358979323846264338327950288L) < 1e-18L);

    long double constant, sine, cosine, root, angle;
    __asm__("fldpi" : "=t"(constant));
    check("x87 fldpi", fabsl(constant - pi) < 1e-18L);
    __asm__("fsincos" : "=t"(cosine), "=u"(sine) : "0"(pi / 6));
    check("x87 fsincos", fabsl(sine - 0.5L) < 1e-18L &&
                             fabsl(cosine * cosine - 0.75L) < 1e-18L);
    __asm__("fsqrt" : "=t"(root) : "0"(2.0L));
    check("x87 fsqrt", fabsl(root * root - 2) < 1e-18L);
    __asm__("fpatan" : "=t"(angle) : "0"(1.0L), "u"(1.0L) : "st(1)");
    check("x87 fpatan", fabsl(4 * angle - pi) < 1e-18L);
    __asm__("f2xm1" : "=t"(root) : "0"(0.5L));
    check("x87 f2xm1", fabsl((root + 1) * (root + 1) - 2) < 1e-18L);

    unsigned char decimal[10];
    long double value = -1234567890123.0L;
    __asm__("fbstp %0" : "=m"(decimal) : "t"(value) : "st");
    static const unsigned char expected[10] = {
        0x23, 0x01, 0x89, 0x67, 0x45, 0x23, 0x01, 0, 0, 0x80
    };
    check("x87 fbstp", memcmp(decimal, expected, sizeof(decimal)) == 0);
}

static void mmx(void)
{
    __m64 a = _mm_set_pi16(30000, -30000, 100, -100);
    __m64 b = _mm_set_pi16(10000, -10000, 27, 27);
    __m64 sum = _mm_adds_pi16(a, b);
    int16_t lanes[4];
    memcpy(lanes, &sum, sizeof(lanes));
    _mm_empty();
    check("mmx paddsw",
          lanes[0] == -73 && lanes[1] == 127 && lanes[2] == -32768 && lanes[3] == 32767);
}

#define N 48

/* Inverse of the Hilbert-like matrix by Gauss-Jordan: a * inverse(a) is the identity. */
static void matrix(void)
{
    static double a[N][N], work[N][2 * N];
    for (int r = 0; r < N; r++)
        for (int c = 0; c < N; c++) {
            a[r][c] = 1.0 / (1 + abs(r - c)) + (r == c ? N : 0);
            work[r][c] = a[r][c];
            work[r][N + c] = r == c;
        }
    for (int p = 0; p < N; p++) {
        __m128d pivot = _mm_set1_pd(work[p][p]);
        for (int c = 0; c < 2 * N; c += 2)
            _mm_storeu_pd(&work[p][c], _mm_div_pd(_mm_loadu_pd(&work[p][c]), pivot));
        for (int r = 0; r < N; r++) {
            if (r == p)
                continue;
            __m128d factor = _mm_set1_pd(work[r][p]);
            for (int c = 0; c < 2 * N; c += 2)
                _mm_storeu_pd(&work[r][c],
                              _mm_sub_pd(_mm_loadu_pd(&work[r][c]),
                                         _mm_mul_pd(factor, _mm_loadu_pd(&work[p][c]))));
        }
    }
    double worst = 0;
    for (int r = 0; r < N; r++)
        for (int c = 0; c < N; c++) {
            double sum = 0;
            for (int k = 0; k < N; k++)
                sum += a[r][k] * work[k][N + c];
            worst = fmax(worst, fabs(sum - (r == c)));
        }
    check("sse2 matrix inverse", worst < 1e-12);
}

static void sse(void)
{
    __m128 v = _mm_set_ps(16, 9, 4, 1);
    float f[4];
    _mm_storeu_ps(f, _mm_sqrt_ps(v));
    check("sse sqrtps", f[0] == 1 && f[1] == 2 && f[2] == 3 && f[3] == 4);
    _mm_storeu_ps(f, _mm_rcp_ps(v));
    check("sse rcpps", fabsf(f[3] - 0.0625f) < 0.0625f / 2048 && fabsf(f[0] - 1) < 1.0f / 2048);
    check("sse cvtss2si", _mm_cvtss_si32(_mm_set_ss(2.5f)) == 2);
    check("sse2 cvttsd2si", _mm_cvttsd_si32(_mm_set_sd(-2.9)) == -2);
    __m128i bytes = _mm_sad_epu8(_mm_set1_epi8(9), _mm_set1_epi8(2));
    check("sse2 psadbw", _mm_cvtsi128_si64(bytes) == 56);
    __m128i product = _mm_madd_epi16(_mm_set1_epi16(1000), _mm_set1_epi16(-3));
    check("sse2 pmaddwd", _mm_cvtsi128_si32(product) == -6000);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void integers(void)
{
    static uint32_t numbers[20000];
    uint32_t x = 2463534242u;
    uint64_t before = 0, after = 0;
    for (size_t i = 0; i < 20000; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        before += numbers[i] = x;
    }
    qsort(numbers, 20000, sizeof(numbers[0]), compare);
    int ordered = 1;
    for (size_t i = 0; i < 20000; i++) {
        after += numbers[i];
        ordered &= i == 0 || numbers[i - 1] <= numbers[i];
    }
    check("qsort", ordered && before == after);

    static char sieve[100000];
    int primes = 0;
    for (int i = 2; i < 100000; i++) {
        if (sieve[i])
            continue;
        primes++;
        for (int k = 2 * i; k < 100000; k += i)
            sieve[k] = 1;
    }
    check("primes below 100000", primes == 9592);

    /* CRC-32 of "123456789", the published check value. */
    uint32_t crc = ~0u;
    for (const char *p = "123456789"; *p; p++) {
        crc ^= (uint8_t)*p;
        for (int k = 0; k < 8; k++)
            crc = (crc >> 1) ^ (0xEDB88320u & -(crc & 1));
    }
    check("crc32", ~crc == 0xCBF43926u);

    /* 30! needs 128-bit multiplication and division; 30! / 28! is 870. */
    unsigned __int128 factorial = 1;
    for (unsigned i = 2; i <= 30; i++)
        factorial *= i;
    unsigned __int128 less = 1;
    for (unsigned i = 2; i <= 28; i++)
        less *= i;
    check("128-bit division", factorial / less == 870 && factorial % less == 0);
}

static void library(void)
{
    char text[64];
    snprintf(text, sizeof(text), "%.17g %.10Lg", exp(1.0), powl(2.0L, 0.5L));
    check("printf of floating point", strcmp(text, "2.7182818284590451 1.414213562") == 0);
    check("strtod", strtod("6.02214076e23", NULL) == 6.02214076e23);
    check("libm", fabs(tgamma(6.0) - 120) < 1e-10 && fabs(erf(1.0) - 0.8427007929497149) < 1e-15 &&
                      fabs(log(10.0) - 2.302585092994046) < 1e-15);
}

int main(void)
{
    integers();
    x87();
    mmx();
    sse();
    matrix();
    library();
    return failures != 0;
}
