#compdef lakelog
# Completion of lakelog for zsh.
_lakelog_completion() {
  local -a answers
  answers=("${(@f)$(SHELL=zsh COMP_LINE="${(j: :)words[1,CURRENT-1]} $PREFIX" COMP_POINT='' lakelog completion-server 2>/dev/null)}")
  if [[ $answers[1] == __tabtab_complete_files__ ]]; then
    _files
  elif [[ -n $answers[1] ]]; then
    _describe values answers
  fi
}
# As a file of $fpath it is called, and else it is evaluated.
if [[ $zsh_eval_context == *func ]]; then
  _lakelog_completion "$@"
elif type compdef &>/dev/null; then
  compdef _lakelog_completion lakelog
fi
