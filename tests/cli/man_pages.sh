#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: man_pages.sh PRIVET SOURCE-FOLDER
# The man pages against the option tables, which `privet completion` walks and each --help prints: every
# verb and command has a page; the page has each option of the table, under OPTIONS, and no other; the
# page of a group names its commands' pages; no page refers to one that is not there or is not installed.
set -u

privet=$(realpath "$1")
pages=$(realpath "$2")/docs/man
installed=$(realpath "$2")/cli/meson.build
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

# The words of options in a page, without dashes: those that stand in .It lines below OPTIONS, all.
# An .It line that begins with Xo goes on to Xc.
words_in() { # words_in FILE items|all
    awk -v want="$2" '
        /^\.Sh / { options = ($2 == "OPTIONS"); head = 0 }
        want == "items" && options && /^\.It / { item = 1; long = / Xo/ }
        want == "all" || (options && item) {
            count = split($0, word, " ")
            # In text there are no macros, nor in .Ql, which has the words of other commands.
            if (/^\./ && word[1] != ".Ql" && word[1] != ".Dl" && word[1] != ".Nd")
                for (i = 1; i < count; i++)
                    if (word[i] ~ /^\.?Fl$/)
                        print word[i + 1] == "Fl" ? word[i + 2] : word[i + 1]
        }
        item && (!long || /^\.Xc/) { item = 0 }
    ' "$1" | sort -u
}

# ---- each verb's table
expect 0 completion bash
sed -n "s/^    '\(..*\)')$/\1/p" out >paths
[ "$(wc -l <paths)" -ge 25 ]
note $? "too few verbs are walked: $(wc -l <paths)"
expect 0 --help
sed -n 's/^  \([a-z-]*\)  *[a-z].*/\1/p' out >verbs
expect 0 owner --help
sed -n 's/^  \([a-z-]*\)  *[a-z].*/owner \1/p' out >>verbs
sort -u paths verbs >all
mapfile -t all_paths <all
for path in "${all_paths[@]}"; do
    page=$pages/privet-${path// /-}.1
    [ -f "$page" ]
    note $? "privet $path: no man page"
    [ -f "$page" ] || continue
    grep -qx "\.Nm privet $path" "$page" || [[ $path != *\ * ]]
    note $? "privet $path: the page's synopsis is another's"
    # shellcheck disable=SC2086
    expect 0 $path --help
    options=$(sed -n 's/^  --\([a-z0-9-]*\).*/\1/p' out | sort -u)
    aliases=$(sed -n 's/.*(or \(.*\))$/\1/p' out | tr ',' '\n' | sed 's/^ *-*//' | sort -u)
    printf '%s\n' help h "$options" "$aliases" >table
    for option in $options; do
        words_in "$page" items | grep -qx -- "$option"
        note $? "privet $path: --$option is not in OPTIONS of its page"
    done
    for word in $(words_in "$page" all); do
        grep -qx -- "$word" table
        note $? "privet $path: its page names --$word, which it does not have"
    done
    for alias in $aliases; do
        cat "$pages"/privet-"${path%% *}"-*.1 | grep -qE "Fl( Fl)? $alias( |\$)"
        note $? "privet $path: no page names --$alias, another tool's name"
    done
    for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' 'SEE ALSO'; do
        grep -qx "\.Sh $section" "$page"
        note $? "privet $path: its page has no $section"
    done
    [[ $path != *\ * ]] || grep -qx "\.It Xr privet-${path// /-} 1" "$pages/privet-${path%% *}.1"
    note $? "privet $path: not in the list of privet-${path%% *}(1)"
done

# ---- the pages
for page in "$pages"/*; do
    name=${page##*/}
    grep -q "man/$name'" "$installed"
    note $? "$name is not installed"
    verb=${name%.1}
    verb=${verb#privet}
    case $name in
    privet.1 | *.7) ;;
    *)
        tr ' ' - <all | grep -qx -- "${verb#-}"
        note $? "$name is about no verb"
        ;;
    esac
    while read -r other section; do
        case $other in
        privet*) [ -f "$pages/$other.$section" ] ;;
        esac
        note $? "$name: refers to $other($section), which is not there"
    done < <(sed -n 's/^\.\(It \)\{0,1\}Xr \(privet[a-z-]*\) \([0-9]\).*/\2 \3/p' "$page")
done

finish
