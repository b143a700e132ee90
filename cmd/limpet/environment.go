package main

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/limpet-dev/limpet/pkg/translate"
)

const variablePrefix = "LIMPET_"

// variableOf returns the environment variable that a flag is also read from: LIMPET_HTTP_ADDR for http-addr.
func variableOf(flag string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readEnvironment sets the flags that are not on the command line from the environment.
func readEnvironment(cmd *cobra.Command, _ []string) error {
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value, ok := os.LookupEnv(variableOf(f.Name))
		if !ok || f.Changed || f.Name == "help" {
			return
		}
		if err := f.Value.Set(value); err != nil {
			failed = usagef("%s=%q: %w", variableOf(f.Name), value, err)
		}
	})
	return failed
}

// unknownVariable is a LIMPET_* variable that no flag reads. nearest is the one that was probably meant, or empty.
type unknownVariable struct{ name, nearest string }

func (v unknownVariable) String() string {
	text := "unknown environment variable " + v.name
	if v.nearest != "" {
		text += "; did you mean " + v.nearest + "?"
	}
	return text
}

// unknownVariables returns the unknown LIMPET_* variables of an environment. Variables of flags that only another command
// has are known: the environment of a pod or a shell may serve several commands.
func unknownVariables(root *cobra.Command, environment []string) []unknownVariable {
	known := knownVariables(root)
	var unknown []unknownVariable
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, variablePrefix) || slices.Contains(known, name) || isServiceLink(name, value) {
			continue
		}
		unknown = append(unknown, unknownVariable{name, nearestVariable(name, known)})
	}
	return unknown
}

// nearestVariable returns the known variable that was probably meant, or "". The common prefix does not count: otherwise each
// name would resemble a known one.
func nearestVariable(name string, known []string) string {
	words := make([]string, len(known))
	for i := range known {
		words[i] = strings.TrimPrefix(known[i], variablePrefix)
	}
	if word := translate.Nearest(strings.TrimPrefix(name, variablePrefix), words); word != "" {
		return variablePrefix + word
	}
	return ""
}

func knownVariables(root *cobra.Command) []string {
	known := []string{"LIMPET_COMPLETION_DESCRIPTIONS", "LIMPET_ACTIVE_HELP"} // of cobra
	for _, cmd := range root.Commands() {
		if cmd.PreRunE != nil {
			cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, variableOf(f.Name)) })
		}
	}
	return known
}

var (
	serviceHost = regexp.MustCompile(`^LIMPET_([A-Z0-9_]+_)?SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$`)
	servicePort = regexp.MustCompile(`^LIMPET_([A-Z0-9_]+_)?PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)
	serviceURL  = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// isServiceLink reports whether Kubernetes sets the variable for a Service whose name is limpet or begins with limpet-.
func isServiceLink(name, value string) bool {
	return serviceHost.MatchString(name) || servicePort.MatchString(name) ||
		strings.HasSuffix(name, "_PORT") && serviceURL.MatchString(value)
}
