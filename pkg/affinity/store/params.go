package store

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
)

// param is a query parameter of a store URL.
type param struct {
	name string
	set  func(a *address, value string) error
}

var params = []param{
	{"prefix", (*address).setPrefix},
	{"ca", (*address).setCA},
	{"sentinel-user", (*address).setSentinelUser},
	{"sentinel-password", (*address).setSentinelPassword},
}

func (a *address) setQuery(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("invalid query: parameters must be percent-encoded name=value pairs, separated by &")
	}
	for name, list := range values {
		i := slices.IndexFunc(params, func(p param) bool { return p.name == name })
		if i < 0 || len(list) != 1 || list[0] == "" {
			return fmt.Errorf("invalid query: each parameter may be set once and must not be empty; supported are: %s", paramNames())
		}
		if err := params[i].set(a, list[0]); err != nil {
			return fmt.Errorf("%s: %w", params[i].name, err)
		}
	}
	return nil
}

func paramNames() string {
	names := make([]string, len(params))
	for i := range params {
		names[i] = params[i].name
	}
	return strings.Join(names, ", ")
}

// setPrefix rejects braces: with a hash tag in the prefix, a cluster would store all keys on one node.
func (a *address) setPrefix(value string) error {
	if len(value) > 64 || strings.ContainsAny(value, "{}") {
		return errors.New("must be at most 64 bytes and must not contain braces")
	}
	a.prefix = value
	return nil
}

func (a *address) setCA(file string) error {
	if a.tls == nil {
		return errors.New("requires TLS (rediss)")
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	a.tls.RootCAs = x509.NewCertPool()
	if !a.tls.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s: contains no PEM certificate", file)
	}
	return nil
}

func (a *address) setSentinelUser(value string) error {
	a.sentinelUser = value
	return a.onlySentinel()
}

func (a *address) setSentinelPassword(value string) error {
	a.sentinelPassword = value
	return a.onlySentinel()
}

func (a *address) onlySentinel() error {
	if a.mode != sentinel {
		return errors.New("requires redis+sentinel")
	}
	return nil
}
