# SPDX-License-Identifier: BSD-2-Clause-Patent
# The front door. Everything real is in meson.build and scripts/; each target can be repeated and is
# quick when nothing changed.

PREFIX ?= /usr/local
BUILD  := build

.PHONY: all packages build guest run check bench fuzz install clean

all: build

packages:
	@scripts/install-packages

build: packages
	@scripts/build $(BUILD) --buildtype=debugoptimized

guest: build
	@scripts/get-guest $(BUILD)/tests/guests/compute $(BUILD)/tests/guests/spin

# Boots Debian's kernel in an encrypted guest. ARGS adds options: make run ARGS="--sev off"
run: guest
	@scripts/run-guest $(BUILD) $(ARGS)

check: packages
	@scripts/check

bench: guest
	@scripts/bench $(BUILD)

# Fuzzes every target for SECONDS each: make fuzz SECONDS=600
SECONDS ?= 60
fuzz: packages
	@scripts/fuzz $(SECONDS)

install: build
	@meson configure $(BUILD) -Dprefix=$(abspath $(PREFIX))
	@ninja -C $(BUILD) --quiet
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --quiet --no-rebuild

clean:
	rm -rf build build-*
