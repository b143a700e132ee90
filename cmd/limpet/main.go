// Command limpet is an ingress controller that returns every client to its own pod.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// streams are the standard output and standard error of a command.
type streams struct{ out, err io.Writer }

func main() {
	tuneCollector()
	err := dispatch(untilSignal(), os.Args, streams{os.Stdout, os.Stderr})
	os.Exit(exitStatus(err))
}

// untilSignal returns a context that ends with the first interrupt or SIGTERM. The second one exits the process immediately.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(exitFailure)
	}()
	return ctx
}

// dispatch runs the command in args and prints its error. args[0] is the path of the program.
func dispatch(ctx context.Context, args []string, std streams) error {
	root := newRootCommand(programName(args[0]), std)
	if len(args) == 1 {
		root.SetOut(std.err)
		root.InitDefaultHelpCmd()
		root.InitDefaultCompletionCmd()
		return errors.Join(usageError{errors.New("no command")}, root.Help())
	}
	if len(args) == 2 && args[1] == "--version" {
		args = []string{args[0], "version"} // cobra's own format differs, and changing it takes a template: see printUsage
	}
	root.SetArgs(args[1:])
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return nil
	}
	if cmd == root && !errors.Is(err, errUsage) { // the root command has no work of its own that could fail
		err = usageError{err}
	}
	fmt.Fprintf(std.err, "limpet: %s\n", strings.TrimSpace(err.Error()))
	if errors.As(err, new(usageError)) {
		fmt.Fprintf(std.err, "Run '%s --help' for usage.\n", cmd.CommandPath())
	}
	return err
}
