package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/limpet-dev/limpet/pkg/admin"
)

// adminOptions are the flags of the listeners for operators.
type adminOptions struct {
	addr, probeAddr string
	tokenFile       string
	trustLoopback   bool
}

func (a *adminOptions) register(f flagSet, addr string) {
	f.StringVar(&a.addr, "admin-addr", addr, "The `address` on which to serve health checks, metrics and debug"+
		" pages. An empty address disables it.")
	f.StringVar(&a.probeAddr, "probe-addr", "", "A second `address` on which to serve health checks and metrics without debug"+
		" pages. If empty, only --admin-addr serves them.")
	f.StringVar(&a.tokenFile, "admin-token-file", "", "The `file` with the bearer token that clients of debug pages must send. It"+
		" is read for each request. If empty, only loopback clients may read debug pages.")
	f.BoolVar(&a.trustLoopback, "admin-trust-loopback", true, "Serve debug pages to clients on loopback addresses without a"+
		" token. Set it to false with hostNetwork, where all processes of the node use loopback.")
}

// validate fails if the token file cannot be used.
func (a *adminOptions) validate() error {
	if a.tokenFile == "" {
		return nil
	}
	if _, err := readToken(a.tokenFile); err != nil {
		return inputError{fmt.Errorf("--admin-token-file: %w", err)}
	}
	return nil
}

func (a *adminOptions) access() admin.Access {
	access := admin.Access{TrustLoopback: a.trustLoopback}
	if a.tokenFile != "" {
		access.Token = func() (string, error) { return readToken(a.tokenFile) }
	}
	return access
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
