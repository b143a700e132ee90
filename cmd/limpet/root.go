package main

import (
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// programName returns how users call the program: "kubectl limpet" when it is installed as a kubectl plugin.
func programName(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), ".exe")
	if plugin, ok := strings.CutPrefix(name, "kubectl-"); ok {
		return "kubectl " + plugin
	}
	return "limpet"
}

// newRootCommand returns the command that holds all others. Its own errors are printed by dispatch.
func newRootCommand(program string, std streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "limpet",
		Short:         "Limpet is a Kubernetes ingress controller that returns every client to its own pod.",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: program},
		Version:       buildVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.Long = root.Short +
		"\n\nEvery flag can also be set in the environment: --http-addr as LIMPET_HTTP_ADDR. The command line wins."
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.AddCommand(newRunCommand(std), newDevCommand(std), newDemoCommand(std), newCheckCommand(std), newExplainCommand(std),
		newStatusCommand(std), newSessionsCommand(std), newDrainCommand(std), newVersionCommand(std))
	root.SetHelpCommand(newHelpCommand())
	root.SetFlagErrorFunc(explainFlagError)
	for _, cmd := range root.Commands() {
		completeFlags(cmd)
		cmd.Example = indent(strings.ReplaceAll(cmd.Example, "limpet ", program+" "))
		cmd.DisableFlagsInUseLine = true
	}
	root.SetUsageFunc(printUsage)
	return root
}

// indent indents every line that is not empty as cobra indents commands.
func indent(text string) string {
	return blank.ReplaceAllString("  "+strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  "), "")
}

var blank = regexp.MustCompile(`(?m)^ +$`)

// noArguments refuses positional arguments.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q", args[0])
	}
	return nil
}

// newHelpCommand returns `limpet help`. Unlike cobra's, it fails for a command that does not exist.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Print the help text of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, _, err := cmd.Root().Find(args)
			if err != nil {
				return usageError{err}
			}
			found.InitDefaultHelpFlag()
			found.InitDefaultVersionFlag()
			return found.Help()
		},
	}
}
