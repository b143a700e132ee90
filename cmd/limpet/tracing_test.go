package main

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/otlp"
	"github.com/limpet-dev/limpet/test/wait"
)

func TestTracing_exportsSpans(t *testing.T) {
	receiver := otlp.Start(t)
	p := start(t, "dev", "--manifests", t.TempDir(), "--tracing-endpoint", receiver.URL, "--tracing-sample-ratio", "1")
	get(p.http, "/missing")
	p.stop(t) // exports what is waiting
	spans := receiver.Spans()
	if len(spans) != 1 || otlp.Attributes(spans[0])["url.path"] != "/missing" {
		t.Errorf("spans %v", spans)
	}
	if service := receiver.Resource(); service["service.name"] != "limpet" || service["service.version"] == "" {
		t.Errorf("resource %v", service)
	}
}

func TestTracing_countsLostSpans(t *testing.T) {
	receiver := otlp.Start(t, 400)
	p := start(t, "dev", "--manifests", t.TempDir(), "--tracing-endpoint", receiver.URL, "--tracing-sample-ratio", "1")
	get(p.http, "/missing")
	wait.Until(t, "the lost span is counted", func() bool {
		return strings.Contains(get(p.admin, "/metrics"), "\nlimpet_trace_spans_total{result=\"lost\"} 1\n")
	})
	p.stop(t)
}

func TestTracing_invalidFlags(t *testing.T) {
	for _, flag := range []string{
		"--tracing-endpoint=collector:4317", "--tracing-endpoint=grpc://collector:4317", "--tracing-endpoint=http://user:secret@collector",
		"--tracing-endpoint=http://collector?a=b", "--tracing-endpoint=http://", "--tracing-sample-ratio=1.1",
		"--tracing-sample-ratio=-0.1", "--tracing-sample-ratio=NaN", "--tracing-sample-ratio=x",
	} {
		if code, _, _ := run(t, "dev", "--manifests", t.TempDir(), flag); code != 2 {
			t.Errorf("%s: exit code %d, want 2", flag, code)
		}
	}
}
