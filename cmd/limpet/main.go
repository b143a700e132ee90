// Command limpet is an ingress controller that brings every client back to its own pod.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "dev"

// command is one subcommand. It returns what ends the process.
type command struct {
	name, summary string
	run           func(ctx context.Context, args []string, std streams) error
}

// streams are where a command writes.
type streams struct{ out, err io.Writer }

func commands() []command {
	return []command{
		{"run", "in a cluster: watch, publish, serve", runCluster},
		{"dev", "the same from YAML files, without a cluster", runDev},
		{"demo", "dev with bundled manifests and three sample pods", runDemo},
		{"check", "what Limpet makes of manifests, and every problem in them", runCheck},
		{"version", "print the version", runVersion},
	}
}

// The exit statuses. A usage error or a file that does not parse is told apart from problems found and from failures.
const (
	exitFailure = 1
	exitUsage   = 2
)

// errUsage marks errors whose cause is how Limpet was called, or a file that it cannot read.
var errUsage = errors.New("usage")

func main() {
	tuneCollector()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:], streams{os.Stdout, os.Stderr})
	stop()
	os.Exit(exitStatus(err))
}

func dispatch(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 {
		usage(std.err)
		return errUsage
	}
	for _, c := range commands() {
		if c.name == args[0] {
			err := c.run(ctx, args[1:], std)
			report(std.err, err)
			return err
		}
	}
	if args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		usage(std.out)
		return nil
	}
	fmt.Fprintf(std.err, "limpet: unknown command %q\n\n", args[0])
	usage(std.err)
	return errUsage
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Limpet brings every client back to its own pod.\n\nUsage: limpet COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-8s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\nlimpet COMMAND --help lists the flags of a command. Every flag is also read from LIMPET_<FLAG>.\n")
}

func report(w io.Writer, err error) {
	if err != nil && !errors.Is(err, errReported) {
		fmt.Fprintf(w, "limpet: %v\n", err)
	}
}

func exitStatus(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp): // who asks for help gets it
		return 0
	case errors.Is(err, errUsage):
		return exitUsage
	}
	return exitFailure
}

func runVersion(_ context.Context, _ []string, std streams) error {
	fmt.Fprintln(std.out, "limpet", version)
	return nil
}
