package store

import (
	"slices"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		text, name string
		want       address
	}{
		{"redis://cache", "redis://cache:6379", address{hosts: []string{"cache:6379"}}},
		{"redis://u:p%40ss%2F@[::1]:7000/3", "redis://[::1]:7000/3",
			address{hosts: []string{"[::1]:7000"}, user: "u", password: "p@ss/", db: 3}},
		{"redis://:s3cret@10.0.0.1", "redis://10.0.0.1:6379",
			address{hosts: []string{"10.0.0.1:6379"}, password: "s3cret"}},
		{"redis://[fd00::1]?prefix=blue:", "redis://[fd00::1]:6379", address{hosts: []string{"[fd00::1]:6379"}, prefix: "blue:"}},
		{"redis+sentinel://a,b:1,[::1]/main/2?sentinel-user=su&sentinel-password=sp", "redis+sentinel://a:26379,b:1,[::1]:26379/main/2",
			address{mode: sentinel, hosts: []string{"a:26379", "b:1", "[::1]:26379"}, master: "main", db: 2,
				sentinelUser: "su", sentinelPassword: "sp"}},
		{"redis+cluster://a:1,b:2", "redis+cluster://a:1,b:2", address{mode: cluster, hosts: []string{"a:1", "b:2"}}},
	} {
		got, err := parseURL(c.text)
		if c.want.prefix == "" {
			c.want.prefix = "limpet:"
		}
		c.want.name = c.name
		if err != nil || !same(got, c.want) {
			t.Errorf("parseURL(%q) = %+v, %v, want %+v", c.text, got, err, c.want)
		}
	}
}

func same(a, b address) bool {
	hosts := slices.Equal(a.hosts, b.hosts)
	return hosts && a.mode == b.mode && a.name == b.name && a.db == b.db && a.prefix == b.prefix && a.user == b.user &&
		a.password == b.password && a.master == b.master && a.sentinelUser == b.sentinelUser &&
		a.sentinelPassword == b.sentinelPassword
}

func TestParseURL_tls(t *testing.T) {
	for _, text := range []string{"rediss://a", "rediss+sentinel://a/m", "rediss+cluster://a"} {
		if a, err := parseURL(text); err != nil || a.tls == nil || a.tls.InsecureSkipVerify || a.tls.ServerName != "" {
			t.Errorf("%s: %+v, %v; want TLS that verifies the host", text, a.tls, err)
		}
	}
}

func TestParseURL_errors(t *testing.T) {
	for text, want := range map[string]string{
		"":                              `must be "memory"`,
		"redis":                         `must be "memory"`,
		"http://a":                      `must be "memory"`,
		"redis+other://a":               `must be "memory"`,
		"redisss://a":                   `must be "memory"`,
		"redis://":                      "host 1: must be a host name",
		"redis://a:0":                   "host 1: the port",
		"redis://a:65536":               "host 1: the port",
		"redis://a:x":                   "host 1: the port",
		"redis://a b":                   "host 1: must be a host name",
		"redis://::1":                   "host 1", // an IPv6 address with a port needs brackets
		"redis://a,b":                   "too many hosts",
		"redis://a/x":                   "the database",
		"redis://a/-1":                  "the database",
		"redis://%zz@a":                 "user or password",
		"redis://a?x=1":                 "supported are",
		"redis://a?prefix=a&prefix=b":   "supported are",
		"redis://a?prefix=":             "supported are",
		"redis://a?%zz":                 "name=value",
		"redis://a?prefix=%7Bx%7D":      "prefix: must be",
		"redis://a?ca=/x":               "ca: requires TLS",
		"rediss://a?ca=/nowhere":        "no such file",
		"rediss://a?ca=url_test.go":     "contains no PEM certificate",
		"redis://a?sentinel-user=x":     "sentinel-user: requires redis+sentinel",
		"redis://a?sentinel-password=x": "sentinel-password: requires redis+sentinel",
		"redis+sentinel://a":            "missing master name",
		"redis+sentinel://a/m@b":        "missing master name",
		"redis+sentinel://a/m/x":        "the database",
		"redis+cluster://a/1":           "the database of a cluster",
		"redis+cluster://a,,b":          "host 2",
		"redis+cluster://a" + strings.Repeat(",a", 32): "at most 32",
	} {
		if _, err := Open(text, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q): %v, want %q", text, err, want)
		}
	}
}

// Errors are logged, and must not contain the password.
func TestParseURL_errorsHideSecrets(t *testing.T) {
	for _, text := range []string{
		"redis://u:hunter2/x@a", "redis://u:hunter2@a/x", "redis://:hunter2", "redis://hunter2", "redis://u:hunter2%@a",
		"redis://u:1/hunter2@a", "redis://u:hunter2?@a", "redis://u:x?hunter2@a", "redis+sentinel://u:1/hunter2@a",
		"redis+sentinel://a?sentinel-password=hunter2%", "redis://a?sentinel-password=hunter2", "redis://a?hunter2=x",
		"redis+cluster://u:hunter2@a,b:x", "hunter2://a", "redis://u:[hunter2@:a",
	} {
		a, err := parseURL(text)
		if err == nil && text == "redis://hunter2" {
			continue // that is a good name of a host
		}
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("parseURL(%q) = %+v, %v; want an error without the secret", text, a, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	for _, text := range []string{"redis://u:p@a:1/2?prefix=x", "rediss+sentinel://a,[::1]:2/m/1", "redis+cluster://a,b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseURL(text)
		if err != nil {
			return
		}
		if len(a.hosts) == 0 || len(a.hosts) > maxHosts || a.prefix == "" || strings.Contains(a.name, "@") {
			t.Errorf("parseURL(%q) = %+v", text, a)
		}
	})
}
