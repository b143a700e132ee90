package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// explainFlagError makes an error of pflag a usageError. It suggests the flag that the user probably meant.
func explainFlagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError{err}
	}
	typed := unknown.GetSpecifiedName()
	if group := unknown.GetSpecifiedShortnames(); group != "" {
		typed = group // -affinity-keys, which package flag would take
	}
	typed, _, _ = strings.Cut(typed, "=")
	if name := translate.Nearest(typed, flagNames(cmd)); name != "" {
		err = fmt.Errorf("%w; did you mean --%s?", err, name)
	}
	return usageError{err}
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}
