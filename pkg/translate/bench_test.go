package translate_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/model"
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
	snapshot, _, err := manifest.Read("bench.yaml", []byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := translate.Build(snapshot, nil, translate.Options{TakeUnclassed: true}); len(r.Model.Routes) != 1000 {
			b.Fatalf("got %d routes", len(r.Model.Routes))
		}
	}
}

const benchTLS = `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i%[1]d, namespace: shop}
spec:
  rules: [{host: shop.example.com}]
  tls: [{hosts: [h%[1]d.example.com], secretName: s%[1]d}]
`

// BenchmarkBuildWithCertificates translates 1,000 Secrets with RSA keys, at first and when all have been seen before.
func BenchmarkBuildWithCertificates(b *testing.B) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, benchTLS, i)
	}
	snapshot, _, err := manifest.Read("bench.yaml", []byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	for i := range 1000 {
		snapshot.Secrets = append(snapshot.Secrets, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("s%d", i)}, Data: rsaPair(b),
		})
	}
	options := translate.Options{TakeUnclassed: true}
	seen := translate.Build(snapshot, nil, options).Model
	for name, before := range map[string]*model.Model{"first": nil, "again": seen} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if r := translate.Build(snapshot, before, options); len(r.Model.Certificates) != 1000 {
					b.Fatalf("got %d certificates", len(r.Model.Certificates))
				}
			}
		})
	}
}

// rsaPair takes the certificate of a golden case.
func rsaPair(b *testing.B) map[string][]byte {
	b.Helper()
	text, err := os.ReadFile("testdata/tls-two-algorithms.in.yaml")
	if err != nil {
		b.Fatal(err)
	}
	snapshot, _, err := manifest.Read("rsa", text)
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range snapshot.Secrets {
		if s.Name == "rsa" {
			return s.Data
		}
	}
	b.Fatal("the case has no Secret named rsa")
	return nil
}
