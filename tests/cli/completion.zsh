# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: zsh -f completion.zsh SETUP
# What Tab offers in zsh: for each line of standard input, typed at the prompt of a shell that ran SETUP,
# prints the line with every match put in. The shell is a real one, on a terminal of its own (zpty).
zmodload zsh/zpty || exit
setopt extended_glob
export TERM=dumb

# compstate[insert]=all (zshcompwid): the widget inserts the matches instead of listing them. The terminal
# echoes this; the words that are waited for are not yet there in it.
startup='
PS1= PS2=
'$1'
insert_all() { _main_complete; compstate[insert]=all }
zle -C insert-all complete-word insert_all
answer() { zle insert-all; print -r -- answer"<$BUFFER>"; BUFFER= }
zle -N answer
bindkey "^I" answer
print ready"<>"
'
zpty -b shell "zsh -f -i" || exit

# ask TEXT WORD: sends the text and waits for WORD<...>, of which the inner part goes to $reply
ask() {
    local seen= part tries
    zpty -w -n shell $1
    for ((tries = 0; tries < 200; tries++)); do
        while zpty -r -t shell part; do seen+=$part; done
        [[ $seen == (#b)*$2'<'([^\>]#)'>'* ]] && { reply=$match[1]; return }
        sleep 0.05
    done
    print -u 2 -r -- "no answer to '$1': $seen"
    exit 1
}
ask "$startup" ready
while IFS= read -r line; do
    ask $line$'\t' answer
    print -r -- $reply
done
zpty -d shell
