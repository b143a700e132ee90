package nginx

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/test/wait"
)

// hostile is one annotation that no one can serve as it is written.
type hostile struct{ Name, Value string }

// readHostile returns the corpus. In values, REPEAT(n,text) is text n times.
func readHostile(t *testing.T) []hostile {
	t.Helper()
	text, err := os.ReadFile("testdata/hostile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []hostile
	if err := yaml.UnmarshalStrict(text, &out); err != nil {
		t.Fatal(err)
	}
	for i := range out {
		out[i].Value = expand(t, out[i].Value)
	}
	return out
}

func expand(t *testing.T, value string) string {
	t.Helper()
	before, rest, found := strings.Cut(value, "REPEAT(")
	if !found {
		return value
	}
	call, after, _ := strings.Cut(rest, ")")
	count, text, _ := strings.Cut(call, ",")
	n, err := strconv.Atoi(count)
	if err != nil {
		t.Fatal(err)
	}
	return before + strings.Repeat(text, n) + after
}

// Of more than a thousand Ingresses, every tenth has another hostile annotation. The others serve and keep updating, and each of the
// hostile ones is named.
func TestHostile_affectsNoOther(t *testing.T) {
	corpus := readHostile(t)
	const every = 10
	total := len(corpus) * every
	if total < 1000 {
		t.Errorf("there are only %d Ingresses", total)
	}
	dir := t.TempDir()
	write := func(i int, annotations map[string]string) {
		writeManifest(t, filepath.Join(dir, name(i)+".yaml"), hostileIngress(i, annotations))
	}
	for i := range total {
		annotations := map[string]string{}
		if i%every == 0 {
			h := corpus[i/every]
			annotations["nginx.ingress.kubernetes.io/"+h.Name] = h.Value
		}
		write(i, annotations)
	}
	writeManifest(t, filepath.Join(dir, "service.yaml"), hostileService)
	startPods(t)
	l := startLimpetIn(t, dir)

	for i := range total {
		if i%every != 0 {
			l.try(t, &request{URL: "http://" + name(i) + ".test/", Status: http.StatusOK, Pod: map[string]string{"target": "/"}})
		}
	}
	named := namedIngresses(t)
	for i := range total {
		if isHostile := i%every == 0; named[name(i)] != isHostile {
			t.Errorf("%s has a problem: %v, want %v", hostileIngress(i, nil), named[name(i)], isHostile)
			if isHostile {
				t.Logf("its annotation is %.200v", corpus[i/every])
			}
		}
	}

	write(1, map[string]string{"nginx.ingress.kubernetes.io/app-root": "/changed"})
	wait.Until(t, "a change of another Ingress takes effect", func() bool {
		return send(t, l.client, &request{URL: "http://" + name(1) + ".test/"}, nil).status == http.StatusFound
	})
}

func name(i int) string { return fmt.Sprintf("app-%04d", i) }

// hostileIngress returns the Ingress of one host. Its annotations are quoted as JSON, which YAML contains.
func hostileIngress(i int, annotations map[string]string) string {
	quoted, err := json.Marshal(annotations)
	if err != nil {
		panic(err) // a map of texts
	}
	return fmt.Sprintf(`apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s, namespace: default, annotations: %s}
spec:
  ingressClassName: nginx
  rules:
  - host: %s.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}]}
`, name(i), quoted, name(i))
}

const hostileService = `apiVersion: v1
kind: Service
metadata: {name: app, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app, namespace: default, labels: {kubernetes.io/service-name: app}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [10.250.0.11]}]
`

// writeManifest replaces a file in one step, as an editor does.
func writeManifest(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// namedIngresses returns the names of the Ingresses with a problem.
func namedIngresses(t *testing.T) map[string]bool {
	t.Helper()
	resp, err := http.Get("http://" + adminAddress + "/debug/table")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var table struct {
		Problems []struct{ Ref struct{ Kind, Name string } }
	}
	if err := json.NewDecoder(resp.Body).Decode(&table); err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, p := range table.Problems {
		out[p.Ref.Name] = true
	}
	return out
}
