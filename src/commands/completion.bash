# Completion of lakelog for bash.
_lakelog_completion() {
  local line=${COMP_LINE:0:COMP_POINT} word rest answers answer IFS=$' \t\n'
  word=${line##*[[:space:]]}
  # Bash puts what it is given behind the last of its word breaks, or behind the quote that is open.
  rest=${word##*["$COMP_WORDBREAKS"]}
  [[ $word == [\"\']* ]] && rest=$word
  answers=$(SHELL=bash COMP_LINE=$line COMP_POINT='' lakelog completion-server 2>/dev/null)
  COMPREPLY=()
  # With nothing in it readline offers files by itself.
  [[ $answers == __tabtab_complete_files__ ]] && return
  while IFS= read -r answer; do
    [[ -n $answer ]] && COMPREPLY+=("${answer#"${word%"$rest"}"}")
  done <<<"$answers"
}
complete -o default -F _lakelog_completion lakelog
