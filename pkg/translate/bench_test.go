package translate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/translate"
)

const benchCase = `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i%[1]d}
spec:
  rules:
  - host: h%[1]d.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: s%[1]d, port: {number: 80}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: s%[1]d}
spec: {ports: [{port: 80}]}
---
apiVersion: limpet.dev/v1alpha1
kind: AffinityPolicy
metadata: {name: p%[1]d}
spec:
  targetRefs: [{kind: Service, name: s%[1]d}]
  methods: [{source: Cookie, binding: Issued, cookie: {name: sid}}]
`

// BenchmarkBuild translates 1,000 Ingresses, each with its own host, Service and policy.
func BenchmarkBuild(b *testing.B) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, benchCase, i)
	}
	world, _, err := manifest.Read("bench.yaml", []byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := translate.Build(world, nil, translate.Options{TakeUnclassed: true}); len(r.Model.Routes) != 1000 {
			b.Fatalf("got %d routes", len(r.Model.Routes))
		}
	}
}
