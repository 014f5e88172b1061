#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: completion.sh PRIVET
# The scripts of `privet completion`: all three shells really complete with theirs, and each option that
# --help shows is completed by all.
set -u

privet=$(realpath "$1")
tests=$(realpath "$(dirname "$0")")
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
completes 'help fi' firmware

# zsh reads lines of what was typed from one pipe and answers on the other: completion.zsh
mkdir -p functions files/folder
: >files/image
cp zsh.script functions/_privet
load="fpath=($PWD/functions \$fpath); autoload -Uz compinit; compinit -D -u"
coproc ZSH { cd files && exec zsh -f "$tests/completion.zsh" "$load" 2>&1; }

zsh_line() { # zsh_line "WORDS": the line as zsh completes it; in $got
    echo "privet $1" >&"${ZSH[1]}"
    read -r -t 20 got <&"${ZSH[0]}"
}

zsh_completes() { # zsh_completes "WORDS" "EXPECTED": after it all matches are in the line
    zsh_line "$1"
    [ "$got" = "privet $2" ]
    note $? "zsh completes '$1': '$got' instead of '$2'"
}
zsh_completes 'r' 'run'
zsh_completes 'ow' 'owner'
zsh_completes '' 'chip completion firmware help owner run'
zsh_completes '--' '--help --version'
zsh_completes 'owner me' 'owner measure'
zsh_completes 'owner ' 'owner certs measure report secret session sign-csr verify'
zsh_completes 'help fi' 'help firmware'
zsh_completes 'chip pek' 'chip pek-gen'
zsh_completes 'chip export --f' 'chip export --full'
zsh_completes 'chip status --f' 'chip status --f'
zsh_completes 'completion ' 'completion bash fish zsh'
zsh_completes 'owner certs con' 'owner certs convert'
zsh_completes 'owner measure --firmware im --output-format ' \
    'owner measure --firmware im --output-format base64 hex'
# Fixed values stand alone, in either form.
zsh_completes 'run --clock ' 'run --clock host instructions'
zsh_completes 'run --clock=h' 'run --clock=host'
# Operands and values of other options are files.
zsh_completes 'run --kernel ' 'run --kernel folder image'
zsh_completes 'run --kernel=im' 'run --kernel=image'
zsh_completes 'run --clock host ' 'run --clock host folder image'
zsh_completes 'run im' 'run image'
zsh_completes 'firmware info im' 'firmware info image'
zsh_completes 'chip import image ' 'chip import image folder image'

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
    done
    zsh_line "$verb --"
    echo "${got#"privet $verb "}" | tr ' ' '\n' | sed 's/^--//; /^$/d' | LC_ALL=C sort >by-zsh
    [ "$(cat by-zsh)" = "$(printf '%s\nhelp' "$options" | LC_ALL=C sort -u)" ]
    note $? "zsh completes other options of $verb: $(tr '\n' ' ' <by-zsh)"
    fish --no-config -c "source fish.script; complete -C 'privet $verb --'" | cut -f 1 |
        sed 's/^--//; /^help$/d' | LC_ALL=C sort >by-fish
    [ "$(cat by-fish)" = "$(echo "$options" | grep -v '^help$' | LC_ALL=C sort)" ]
    note $? "fish completes other options of $verb: $(tr '\n' ' ' <by-fish)"
done
fish --no-config -c "source fish.script; complete -C 'privet help fi'" >out 2>&1
[ "$(cat out)" = firmware ]
note $? "fish: $(cat out)"
zsh=${ZSH_PID} typed=${ZSH[1]}
exec {typed}>&-
wait "$zsh"
note $? 'zsh ends'
# Sourced by a shell whose completion is on.
echo 'privet firmware new-vars --size ' |
    zsh -f "$tests/completion.zsh" "autoload -Uz compinit; compinit -D -u; source $PWD/zsh.script" >out 2>&1
[ "$(sed 's/ *$//' out)" = 'privet firmware new-vars --size 2M 4M' ]
note $? "zsh, sourced: $(cat out)"
for shell in zsh fish; do
    $shell -n $shell.script
    note $? "$shell finds an error"
done

finish
