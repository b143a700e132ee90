package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// printUsage prints how to use a command. It prints what cobra's own usage function does, with wrapped flags.
//
// It uses no template: with text/template, the linker keeps every exported method of every type, which makes the binary
// half as large again.
func printUsage(cmd *cobra.Command) error {
	w := cmd.OutOrStderr()
	fmt.Fprint(w, "Usage:")
	if cmd.Runnable() {
		fmt.Fprintf(w, "\n  %s", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n  %s [command]", cmd.CommandPath())
	}
	if cmd.HasExample() {
		fmt.Fprintf(w, "\n\nExamples:\n%s", cmd.Example)
	}
	printCommands(w, cmd)
	printFlags(w, "Flags", cmd.LocalFlags())
	printFlags(w, "Global Flags", cmd.InheritedFlags())
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n\nUse \"%s [command] --help\" for more information about a command.", cmd.CommandPath())
	}
	fmt.Fprintln(w)
	return nil
}

func printCommands(w io.Writer, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	fmt.Fprint(w, "\n\nAvailable Commands:")
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			fmt.Fprintf(w, "\n  %-*s %s", sub.NamePadding(), sub.Name(), sub.Short)
		}
	}
}

// usageColumns is the maximum width of the lines with flags.
const usageColumns = 120

func printFlags(w io.Writer, title string, flags *pflag.FlagSet) {
	if text := strings.TrimRight(flags.FlagUsagesWrapped(usageColumns), " \n"); text != "" {
		fmt.Fprintf(w, "\n\n%s:\n%s", title, text)
	}
}
