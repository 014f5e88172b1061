#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: completion.sh PRIVET
# The scripts of `privet completion`: bash and fish really complete with theirs; each option that --help
# shows is in all three; zsh and fish find no error in theirs.
set -u

privet=$(realpath "$1")
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

for shell in bash zsh fish; do
    expect 0 completion $shell
    cp out $shell.script
done
refuse 1 completion
refuse 1 completion tcsh
# shellcheck disable=SC1091
. ./bash.script

# completes "WORDS" EXPECTED...: the last word is what was typed of it
completes() {
    # shellcheck disable=SC2206 # words
    COMP_WORDS=(privet $1)
    [ "${1% }" = "$1" ] || COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    typed=$1
    shift
    _privet
    [ "${COMPREPLY[*]}" = "$*" ]
    note $? "completion of '$typed': ${COMPREPLY[*]} instead of $*"
}
completes 'r' run
completes 'ow' owner
completes 'owner me' measure
completes 'owner measure --vmsa-cpu' --vmsa-cpu0 --vmsa-cpu1
completes 'owner measure --firmware x --output-format ' hex base64
completes 'run --sev s' sev sev-es sme
completes 'run --kernel-hashes ' on off
completes 'run --kernel '
completes 'chip pek' pek-gen
completes 'firmware new-vars --size ' 4M 2M
completes 'chip export --f' --full
completes 'chip status --f'
completes 'completion ' --help bash zsh fish
completes 'completion b' bash
completes 'owner certs con' convert

for verb in run chip firmware 'chip status' 'chip export' 'firmware info' 'firmware new-vars' 'owner certs' 'owner sign-csr' 'owner session' 'owner measure' \
    'owner verify' 'owner secret' 'owner report'; do
    # shellcheck disable=SC2086
    expect 0 $verb --help
    options=$(grep -oE '^  --[a-z0-9-]+' out | sed 's/^  --//' | sort -u)
    for option in $options; do
        # shellcheck disable=SC2206 # words
        COMP_WORDS=(privet $verb "--$option")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _privet
        [[ " ${COMPREPLY[*]} " = *" --$option "* ]]
        note $? "$verb --$option is not completed by bash"
        grep -q -- "--$option " zsh.script
        note $? "$verb --$option is not completed by zsh"
    done
    fish --no-config -c "source fish.script; complete -C 'privet $verb --'" | cut -f 1 |
        sed 's/^--//; /^help$/d' | LC_ALL=C sort >by-fish
    [ "$(cat by-fish)" = "$(echo "$options" | grep -v '^help$' | LC_ALL=C sort)" ]
    note $? "fish completes other options of $verb: $(tr '\n' ' ' <by-fish)"
done
for shell in zsh fish; do
    $shell -n $shell.script
    note $? "$shell finds an error"
done

finish
