package main

import (
	"errors"
	"fmt"
)

// The exit statuses. Status 2 distinguishes wrong usage and unreadable input from failures and from problems that check finds.
const (
	exitFailure = 1
	exitUsage   = 2
)

// errUsage marks errors that end the process with exitUsage: a wrong command line, or a file that Limpet cannot read.
var errUsage = errors.New("usage")

// usageError is an error in the command line or in the environment. It is printed with a hint at --help.
type usageError struct{ error }

func (e usageError) Is(target error) bool { return target == errUsage }

func (e usageError) Unwrap() error { return e.error }

// usagef returns a usageError with a formatted message.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// inputError is an error in what the flags name, such as a file that does not parse. The usage text would not help.
type inputError struct{ error }

func (e inputError) Is(target error) bool { return target == errUsage }

func (e inputError) Unwrap() error { return e.error }

func exitStatus(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		return exitUsage
	}
	return exitFailure
}
