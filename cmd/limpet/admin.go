package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/limpet-dev/limpet/pkg/admin"
)

// adminOptions are the flags of the listeners for operators.
type adminOptions struct {
	addr, probeAddr  string
	tokenFile        string
	controlTokenFile string
	trustLoopback    bool
	review           func(ctx context.Context, token string) (admin.Caller, error) // of other tokens; may be nil; not a flag
}

func (a *adminOptions) register(f flagSet, addr string) {
	f.StringVar(&a.addr, "admin-addr", addr, "The `address` on which to serve health checks, metrics and debug"+
		" pages. An empty address disables it.")
	f.StringVar(&a.probeAddr, "probe-addr", "", "A second `address` on which to serve health checks and metrics without debug"+
		" pages. If empty, only --admin-addr serves them.")
	f.StringVar(&a.tokenFile, "admin-token-file", "", "The `file` with a bearer token that grants clients to read debug pages. It"+
		" is read for each request.")
	f.StringVar(&a.controlTokenFile, "admin-control-token-file", "", "The `file` with a bearer token that grants clients to read"+
		" debug pages and to control: change the log level, record profiles and drain pods. It is read for each request.")
	f.BoolVar(&a.trustLoopback, "admin-trust-loopback", true, "Let clients on loopback addresses read and control without"+
		" a token. Set it to false with hostNetwork, where all processes of the node use loopback.")
}

// validate fails if a token file cannot be used.
func (a *adminOptions) validate() error {
	for flag, file := range map[string]string{"admin-token-file": a.tokenFile, "admin-control-token-file": a.controlTokenFile} {
		if file == "" {
			continue
		}
		if _, err := readToken(file); err != nil {
			return inputError{fmt.Errorf("--%s: %w", flag, err)}
		}
	}
	return nil
}

func (a *adminOptions) access() admin.Access {
	return admin.Access{TrustLoopback: a.trustLoopback, ReadToken: tokenReader(a.tokenFile),
		ControlToken: tokenReader(a.controlTokenFile), Review: a.review}
}

// tokenReader returns a function that returns the token in a file, or nil if there is no file.
func tokenReader(file string) func() (string, error) {
	if file == "" {
		return nil
	}
	return func() (string, error) { return readToken(file) }
}

// Bounds of a token in bytes. A shorter token could be guessed.
const (
	minToken = 16
	maxToken = 4096
)

// readToken returns the token in a file, without the white space around it.
func readToken(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if len(token) < minToken || len(token) > maxToken || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s: must hold one token of %d to %d bytes without white space", name, minToken, maxToken)
	}
	return token, nil
}
