# Completion of lakelog for fish.
function _lakelog_completion
    set -l line (commandline -cp)
    set -l answers (env SHELL=fish COMP_LINE="$line" COMP_POINT= lakelog completion-server 2>/dev/null)
    if test "$answers" = __tabtab_complete_files__
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $answers
    end
end
complete -c lakelog -f -a '(_lakelog_completion)'
