# bash completion for chisoctl(1). Commands and options are what chisoctl says of itself; names are asked of the daemon, at the socket that
# the line names, for a second at most. Where it does not answer, nothing is offered.

_chisoctl_offer() { # WORD CANDIDATE...
        local word=$1 candidate
        shift
        COMPREPLY=()
        for candidate; do
                if [[ $candidate == "$word"* ]]; then
                        COMPREPLY+=("$candidate")
                fi
        done
}

_chisoctl_names() { # KIND...
        local kind
        for kind; do
                timeout 1 chisoctl "${socket[@]}" names "$kind" < /dev/null 2> /dev/null
        done
}

# What comes after an option; fails where it takes no value that is known.
_chisoctl_value() {
        local -a words=()
        case $1 in
        --indicator | --with) mapfile -t words < <(_chisoctl_names indicators) ;;
        --unit | --parent) mapfile -t words < <(_chisoctl_names units) ;;
        --rule) mapfile -t words < <(_chisoctl_names rules) ;;
        --source) mapfile -t words < <(_chisoctl_names sources) ;;
        --kind) mapfile -t words < <(_chisoctl_names kinds) ;;
        --recipient) mapfile -t words < <(_chisoctl_names recipients) ;;
        --undo) mapfile -t words < <(_chisoctl_names snapshots) ;;
        --period) mapfile -t words < <(_chisoctl_names periods) ;;
        --from | --to)
                [ "$command" = fetch ] || return 1
                mapfile -t words < <(_chisoctl_names periods)
                ;;
        --sort) words=(place delta move) ;;
        --severity) words=(warning critical) ;;
        --type) words=(month quarter half year) ;;
        --format)
                mapfile -t words < <(LC_ALL=C chisoctl "$command" --help 2> /dev/null | grep -o -- '--format [a-z|]*' | head -n 1 |
                        cut -d ' ' -f 2 | tr '|' '\n')
                ;;
        --socket | --config | --output | -o | --ca-file | --mail-password-file)
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                return 0
                ;;
        *) return 1 ;;
        esac
        _chisoctl_offer "$cur" "${words[@]}"
}

# What stands at the N-th place after the command.
_chisoctl_word() {
        local -a words=()
        case "$command $n $verb" in
        "rules 1 "*) words=(list diff backtest release test) ;;
        "rules 2 backtest" | "rules 2 release") mapfile -t words < <(_chisoctl_names rules) ;;
        "silence 1 "*) words=(add list end) ;;
        "silence 2 end") mapfile -t words < <(_chisoctl_names silences) ;;
        "snapshot 1 "*) words=(list show accept reject) ;;
        "snapshot 2 show" | "snapshot 2 accept" | "snapshot 2 reject") mapfile -t words < <(_chisoctl_names snapshots) ;;
        "units 1 "*) words=(list import export suggest link same new) ;;
        "units 3 link") mapfile -t words < <(_chisoctl_names units) ;;
        "source 1 "*) words=(try) ;;
        "source 2 try" | "fetch 1 "*) mapfile -t words < <(_chisoctl_names sources) ;;
        "history 1 "* | "explain 2 "*) mapfile -t words < <(_chisoctl_names units) ;;
        "explain 1 "*) mapfile -t words < <(_chisoctl_names rules) ;;
        "alert 1 "* | "ack 1 "*) mapfile -t words < <(_chisoctl_names alerts) ;;
        "retry 1 "*) mapfile -t words < <(_chisoctl_names deliveries) ;;
        "drill 1 "* | "render 1 "* | "test-webhook 1 "*) mapfile -t words < <(_chisoctl_names recipients) ;;
        "report 1 "*) mapfile -t words < <(_chisoctl_names periods) ;;
        "names 1 "*) words=(alerts deliveries indicators kinds periods recipients rules silences snapshots sources units) ;;
        "rules "*" test" | "import 1 "* | "backup 1 "* | "verify 1 "* | "units 2 import" | "units 2 export")
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                return
                ;;
        esac
        _chisoctl_offer "$cur" "${words[@]}"
}

_chisoctl() {
        local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' verb='' i n=1
        local -a socket=() words=()
        COMPREPLY=()
        for ((i = 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                --socket)
                        socket=(--socket "${COMP_WORDS[++i]}")
                        ;;
                --json | --help | --version | --all | --vintages | --wait | --yes | --new | --machine | --dead | --observed | --announce | --no-*) ;;
                -*) ((i++)) ;; # and its value
                *)
                        if [ -z "$command" ]; then
                                command=${COMP_WORDS[i]}
                        else
                                [ -n "$verb" ] || verb=${COMP_WORDS[i]}
                                ((n++))
                        fi
                        ;;
                esac
        done
        _chisoctl_value "$previous" && return
        if [ -z "$command" ]; then
                mapfile -t words < <(LC_ALL=C chisoctl --help 2> /dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')
                _chisoctl_offer "$cur" "${words[@]}" --help --version --json --socket --config
        elif [[ $cur == -* ]]; then
                mapfile -t words < <(LC_ALL=C chisoctl "$command" --help 2> /dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)
                _chisoctl_offer "$cur" "${words[@]}"
        else
                _chisoctl_word
        fi
}
complete -F _chisoctl chisoctl
