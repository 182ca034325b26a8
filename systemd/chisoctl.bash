# bash completion for chisoctl(1): commands and options are what chisoctl says of itself.
_chisoctl() {
        local cur=${COMP_WORDS[COMP_CWORD]} command='' i
        for ((i = 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                --socket | --config) ((i++)) ;;
                -*) ;;
                *) command=${COMP_WORDS[i]}; break ;;
                esac
        done
        case ${COMP_WORDS[COMP_CWORD - 1]} in
        --socket | --config)
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                return
                ;;
        esac
        if [ -z "$command" ]; then
                mapfile -t COMPREPLY < <(compgen -W "$(LC_ALL=C chisoctl --help 2> /dev/null |
                        sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p') --help --version --json --socket --config" -- "$cur")
        elif [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(LC_ALL=C chisoctl "$command" --help 2> /dev/null |
                        grep -o -- '--[a-z][a-z-]*' | sort -u)" -- "$cur")
        elif [ "$command" = rules ]; then
                mapfile -t COMPREPLY < <(compgen -W "list diff backtest release test $(chisoctl rules list --json 2> /dev/null |
                        grep -o '"name":"[^"]*"' | cut -d '"' -f 4)" -- "$cur")
        elif [ "$command" = fetch ] || [ "$command" = source ]; then
                mapfile -t COMPREPLY < <(compgen -W "$([ "$command" = source ] && echo try) $(chisoctl sources --json 2> /dev/null |
                        grep -o '"name":"[^"]*"' | cut -d '"' -f 4)" -- "$cur")
        fi
}
complete -F _chisoctl chisoctl
