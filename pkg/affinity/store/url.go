package store

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// mode is the topology of the shared store.
type mode uint8

const (
	single mode = iota
	sentinel
	cluster
)

// address is a parsed store URL.
type address struct {
	mode     mode
	name     string // the URL without secrets, for logs
	hosts    []string
	db       int
	prefix   string
	user     string
	password string
	tls      *tls.Config // nil: plain TCP

	master           string // with sentinel
	sentinelUser     string
	sentinelPassword string
}

var modes = map[string]mode{"": single, "+sentinel": sentinel, "+cluster": cluster}

const (
	maxHosts  = 32
	nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._" // allowed in hosts and master names
)

func isName(s string) bool { return s != "" && strings.Trim(s, nameBytes) == "" }

// parseURL parses a store URL. net/url supports only one host.
//
// Errors quote no part of the URL that may contain a secret, even if a password appears in the place of another
// part.
func parseURL(text string) (address, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	a, known := parseScheme(scheme)
	if !ok || !known {
		return a, errors.New(`session store: must be "memory" or start with redis://, redis+sentinel://, ` +
			`redis+cluster://, rediss://, rediss+sentinel:// or rediss+cluster://`)
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	for _, err := range []error{a.setAuthority(authority), a.setPath(path), a.setQuery(query)} {
		if err != nil {
			return a, fmt.Errorf("session store %s://: %w", scheme, err)
		}
	}
	a.name = scheme + "://" + strings.Join(a.hosts, ",")
	if path != "" {
		a.name += "/" + path
	}
	return a, nil
}

func parseScheme(scheme string) (a address, known bool) {
	rest, secure := strings.CutPrefix(scheme, "rediss")
	if !secure {
		if rest, known = strings.CutPrefix(scheme, "redis"); !known {
			return a, false
		}
	}
	a.mode, known = modes[rest]
	a.prefix = "limpet:"
	if secure {
		a.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return a, known
}

func (a *address) setAuthority(authority string) error {
	hosts := authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		hosts = authority[i+1:]
		user, password, _ := strings.Cut(authority[:i], ":")
		var err, err2 error
		a.user, err = url.PathUnescape(user)
		a.password, err2 = url.PathUnescape(password)
		if err != nil || err2 != nil {
			return errors.New("user or password: invalid percent-encoding")
		}
	}
	list := strings.Split(hosts, ",")
	if a.mode == single && len(list) > 1 || len(list) > maxHosts {
		return fmt.Errorf("too many hosts: only redis+sentinel and redis+cluster support more than one, at most %d", maxHosts)
	}
	return a.setHosts(list)
}

func (a *address) setHosts(list []string) error {
	port := "6379"
	if a.mode == sentinel {
		port = "26379"
	}
	for i, text := range list {
		host, err := hostOf(text, port)
		if err != nil {
			return fmt.Errorf("host %d: %w", i+1, err)
		}
		a.hosts = append(a.hosts, host)
	}
	return nil
}

var errNotHost = errors.New("must be a host name or an IP address, with IPv6 in brackets")

// hostOf parses "host", "host:port", "[IPv6]" or "[IPv6]:port", and returns it with a port.
func hostOf(text, defaultPort string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port, err = net.SplitHostPort(text + ":" + defaultPort)
	}
	if err != nil {
		return "", errNotHost
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errors.New("the port must be a number from 1 to 65535")
	}
	if strings.Contains(host, ":") && net.ParseIP(host) != nil {
		return net.JoinHostPort(host, port), nil
	}
	if !isName(host) {
		return "", errNotHost
	}
	return net.JoinHostPort(host, port), nil
}

// setPath parses "/db", or "/master/db" with redis+sentinel.
func (a *address) setPath(path string) error {
	db := path
	if a.mode == sentinel {
		if a.master, db, _ = strings.Cut(path, "/"); !isName(a.master) {
			return errors.New("missing master name, as in redis+sentinel://host/mymaster")
		}
	}
	if db == "" {
		return nil
	}
	n, err := strconv.ParseUint(db, 10, 16)
	if err != nil {
		return errors.New("the database must be a number from 0 to 65535")
	}
	if a.mode == cluster && n != 0 {
		return errors.New("the database of a cluster must be 0")
	}
	a.db = int(n)
	return nil
}
