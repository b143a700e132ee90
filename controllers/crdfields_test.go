package controllers

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/config/crd"
	"github.com/limpet-dev/limpet/test/wait"
)

const smallDefinition = `
spec:
  names: {kind: AffinityPolicy}
  versions:
  - name: v1alpha1
    schema:
      openAPIV3Schema:
        properties:
          spec:
            properties:
              drain: {properties: {keepSessions: {type: boolean}, handoff: {properties: {header: {type: string}}}}}
              methods: {items: {properties: {source: {type: string}, binding: {type: string}}}}
              labels: {additionalProperties: {properties: {value: {type: string}}}}
          status: {properties: {targets: {type: array}}}
`

func TestMissingFields_ofAnOlderDefinition(t *testing.T) {
	document := func(spec string) string {
		return `{"components": {"schemas": {"dev.limpet.v1alpha1.AffinityPolicy": {"properties": {
			"spec": ` + spec + `, "status": {"properties": {"targets": {}}}}}}}}`
	}
	for name, c := range map[string]struct {
		spec string
		want []string
	}{
		"equal": {`{"properties": {"drain": {"properties": {"keepSessions": {}, "handoff": {"properties": {"header": {}}}}},
			"methods": {"items": {"properties": {"source": {}, "binding": {}}}},
			"labels": {"additionalProperties": {"properties": {"value": {}}}}, "more": {}}}`, nil},
		"older": {`{"properties": {"drain": {"properties": {"keepSessions": {}}},
			"methods": {"items": {"properties": {"source": {}}}}, "labels": {"additionalProperties": true}}}`,
			[]string{"spec.drain.handoff", "spec.labels[*]", "spec.methods[].binding"}},
		"keeps unknown fields": {`{"x-kubernetes-preserve-unknown-fields": true}`, nil},
		"empty":                {`{}`, []string{"spec.drain", "spec.labels", "spec.methods"}},
	} {
		got, err := missingFields([]byte(smallDefinition), []byte(document(c.spec)))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
	for _, document := range []string{`{}`, `[`, `{"components": {"schemas": {"other": {}}}}`} {
		if got, err := missingFields([]byte(smallDefinition), []byte(document)); err == nil {
			t.Errorf("document %s: %q, want an error", document, got)
		}
	}
}

// The API server has the definition of this version. A newer Limpet would have one more field.
func TestFieldCheck_reportsAnOldDefinition(t *testing.T) {
	newer := bytes.Replace(crd.AffinityPolicy, []byte("                  keepSessions:\n"),
		[]byte("                  future:\n                    type: string\n                  keepSessions:\n"), 1)
	if bytes.Equal(newer, crd.AffinityPolicy) {
		t.Fatal("the definition has no field keepSessions at the expected place")
	}
	for name, c := range map[string]struct {
		definition []byte
		want       string
	}{"same": {crd.AffinityPolicy, ""}, "older": {newer, "spec.drain.future"}} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			checks, missing := 0, ""
			r := startReplica(t, "fields", func(o *Options) {
				o.definition, o.fieldCheckEvery = c.definition, 50*time.Millisecond
				o.MissingFields = func(fields []string) {
					mu.Lock()
					defer mu.Unlock()
					checks++
					missing = strings.Join(fields, " ")
				}
			})
			wait.Until(t, "two checks", func() bool { mu.Lock(); defer mu.Unlock(); return checks >= 2 })
			mu.Lock()
			defer mu.Unlock()
			if missing != c.want {
				t.Errorf("missing %q, want %q", missing, c.want)
			}
			if logged := r.log.contain("older than Limpet"); logged != (c.want != "") {
				t.Errorf("logged: %v", logged)
			}
		})
	}
}
