package main

import (
	"strings"
	"testing"
)

func TestAccessLog_fieldsAndSample(t *testing.T) {
	p := start(t, "dev", "--manifests", t.TempDir(), "--log-format", "json", "--access-log-fields", "path,status")
	get(p.http, "/a")
	p.stop(t)
	if got := p.out.String(); got != `{"path":"/a","status":404}`+"\n" {
		t.Errorf("the access log is %q", got)
	}
	p = start(t, "dev", "--manifests", t.TempDir(), "--access-log-sample-ratio", "0")
	get(p.http, "/a")
	p.stop(t)
	if got := p.out.String(); got != "" {
		t.Errorf("without a sample, the access log is %q", got)
	}
}

func TestAccessLog_invalidFlags(t *testing.T) {
	for _, flags := range [][]string{
		{"--access-log-fields=path"}, {"--log-format=json", "--access-log-fields=path,cookie"}, {"--access-log-sample-ratio=2"},
		{"--access-log=false", "--access-log-sample-ratio=0.5"}, {"--access-log=false", "--log-format=json", "--access-log-fields=path"},
	} {
		code, _, text := run(t, append([]string{"dev", "--manifests", t.TempDir()}, flags...)...)
		if code != 2 || !strings.Contains(text, "access-log") {
			t.Errorf("%v: exit code %d, want 2; it said %s", flags, code, text)
		}
	}
}
