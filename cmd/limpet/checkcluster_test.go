package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// apiServer responds like an API server that has an Ingress, a Service and a ConfigMap. It records the methods of requests.
type apiServer struct {
	mu      sync.Mutex
	methods map[string]int
	paths   []string
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.methods[r.Method]++
	a.paths = append(a.paths, r.URL.Path)
	a.mu.Unlock()
	resource := func(name, kind string) string {
		return fmt.Sprintf(`{"name":%q,"kind":%q,"namespaced":%v,"verbs":["get","list"]}`, name, kind, kind != "IngressClass" && kind != "Namespace")
	}
	const ingress = `{"metadata":{"namespace":"shop","name":"cart","annotations":{"nginx.ingress.kubernetes.io/proxy-body-size":"2m"}},` +
		`"spec":{"ingressClassName":"nginx","defaultBackend":{"service":{"name":"cart","port":{"number":80}}},"tls":[{"secretName":"t"}]}}`
	texts := map[string]string{
		"/api":    `{"kind":"APIVersions","versions":["v1"]}`,
		"/apis":   `{"kind":"APIGroupList","groups":[{"name":"networking.k8s.io","versions":[{"groupVersion":"networking.k8s.io/v1","version":"v1"}],"preferredVersion":{"groupVersion":"networking.k8s.io/v1","version":"v1"}}]}`,
		"/api/v1": `{"kind":"APIResourceList","groupVersion":"v1","resources":[` + resource("services", "Service") + "," + resource("configmaps", "ConfigMap") + "," + resource("namespaces", "Namespace") + `]}`,
		"/apis/networking.k8s.io/v1": `{"kind":"APIResourceList","groupVersion":"networking.k8s.io/v1","resources":[` +
			resource("ingresses", "Ingress") + "," + resource("ingressclasses", "IngressClass") + `]}`,
		"/apis/networking.k8s.io/v1/ingresses":           `{"kind":"IngressList","apiVersion":"networking.k8s.io/v1","items":[` + ingress + `]}`,
		"/apis/networking.k8s.io/v1/ingressclasses":      `{"kind":"IngressClassList","apiVersion":"networking.k8s.io/v1","items":[]}`,
		"/api/v1/services":                               `{"kind":"ServiceList","apiVersion":"v1","items":[{"metadata":{"namespace":"shop","name":"cart"},"spec":{"ports":[{"port":80}]}}]}`,
		"/api/v1/namespaces":                             `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","items":[]}`,
		"/api/v1/namespaces/nginx/configmaps/controller": `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"namespace":"nginx","name":"controller"},"data":{"ssl-redirect":"false","keep-alive":"60"}}`,
	}
	text := texts[r.URL.Path]
	w.Header().Set("Content-Type", "application/json")
	if text == "" {
		w.WriteHeader(http.StatusNotFound)
		text = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`
	}
	_, _ = w.Write([]byte(text))
}

// startAPIServer starts an apiServer. It returns a kubeconfig with the context test.
func startAPIServer(t *testing.T) (api *apiServer, kubeconfig string) {
	t.Helper()
	api = &apiServer{methods: map[string]int{}}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	kubeconfig = filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"other","clusters":[{"name":"test","cluster":{"server":%q}}],`+
		`"contexts":[{"name":"test","context":{"cluster":"test"}},{"name":"other","context":{"cluster":"missing"}}]}`, server.URL)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return api, kubeconfig
}

func TestCheckCluster_readsOnly(t *testing.T) {
	api, kubeconfig := startAPIServer(t)
	status, out, stderr := run(t, "check", "--cluster", "--kubeconfig", kubeconfig, "--context", "test", "--ingress-class", "nginx",
		"--nginx-configmap", "nginx/controller", "-o", "report-json")
	var report checkReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || status != 0 {
		t.Fatalf("status %d, %v: %s%s", status, err, out, stderr)
	}
	if report.Ingresses != 1 || report.Config == nil || len(report.Config.Notes) != 1 || report.Config.Notes[0].Annotation != "keep-alive" {
		t.Errorf("report %s", out)
	}
	implicit := fmt.Sprint(report.Reports[0].Implicit)
	if !strings.Contains(implicit, "{ssl-redirect false true}") || strings.Contains(implicit, "proxy-body-size") {
		t.Errorf("implicit settings %s", implicit)
	}
	if !strings.Contains(stderr, "not read: AffinityPolicies") {
		t.Errorf("it said %s", stderr)
	}
	api.mu.Lock()
	defer api.mu.Unlock()
	if len(api.methods) != 1 || api.methods[http.MethodGet] == 0 {
		t.Errorf("methods %v", api.methods)
	}
	for _, path := range api.paths {
		if strings.Contains(path, "secrets") {
			t.Errorf("it has read %s", path)
		}
	}
}

func TestCheckCluster_whatChanges(t *testing.T) {
	api, kubeconfig := startAPIServer(t)
	dir := t.TempDir()
	write(t, dir, "cart.yaml", `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {namespace: shop, name: cart, annotations: {limpet.dev/affinity: cookie}}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: missing, port: {number: 80}}}}]}
`)
	args := []string{"check", "--cluster", "--kubeconfig", kubeconfig, "--context", "test", "--ingress-class", "nginx", "-f", dir}
	status, out, stderr := run(t, args...)
	want := []string{
		"stops    */ ", "has no route any more; it was of Ingress shop/cart", "starts   shop.example.com/", "ServiceNotFound",
		"total: stops 1, problem ",
	}
	for _, part := range want {
		if status != exitFailure || !strings.Contains(out, part) {
			t.Errorf("status %d, no %q in\n%s%s", status, part, out, stderr)
		}
	}
	write(t, dir, "cart.yaml", `apiVersion: v1
kind: Service
metadata: {namespace: shop, name: other}
spec: {ports: [{port: 80}]}
`)
	if status, out, stderr := run(t, args...); status != 0 || out != "nothing changes\n" {
		t.Errorf("of a Service that nothing uses: status %d\n%s%s", status, out, stderr)
	}
	write(t, dir, "cart.yaml", `apiVersion: v1
kind: ConfigMap
metadata: {namespace: nginx, name: controller}
data: {ssl-redirect: "true"}
`)
	status, out, stderr = run(t, append(args, "--nginx-configmap", "nginx/controller")...)
	if status != 0 || !strings.Contains(out, "the redirect to HTTPS is added") {
		t.Errorf("of the ConfigMap of ingress-nginx: status %d\n%s%s", status, out, stderr)
	}
	api.mu.Lock()
	defer api.mu.Unlock()
	if len(api.methods) != 1 || api.methods[http.MethodGet] == 0 {
		t.Errorf("methods %v", api.methods)
	}
}

func TestCheckCluster_usage(t *testing.T) {
	for _, args := range [][]string{
		{"check"}, {"check", "--cluster", "-f", "-", "-o", "report"}, {"check", "-f", "-", "--context", "a"}, {"check", "-f", "-", "-n", "a"},
	} {
		if status, _, stderr := run(t, args...); status != exitUsage {
			t.Errorf("%q: status %d, it said %s", args, status, stderr)
		}
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if status, _, stderr := run(t, "check", "--cluster", "--kubeconfig", missing); status != exitUsage || !strings.Contains(stderr, "missing") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

func TestCheck_implicitSettings(t *testing.T) {
	args := []string{"--ingress-class", "nginx", "--assume-secrets", "-o", "report"}
	const intro = "Without an annotation, Ingresses of classes of ingress-nginx have "
	_, out, _ := checkText(t, checkedIngress, args...)
	if !strings.Contains(out, intro+"hsts: max-age=31536000; includeSubDomains, proxy-body-size: 1048576, ") {
		t.Errorf("defaults: %s", out)
	}
	if _, out, _ := checkText(t, checkedIngress, append(args, "--nginx-defaults=false")...); strings.Contains(out, intro) {
		t.Errorf("without defaults: %s", out)
	}
	configured := checkedIngress + "---\n" + nginxConfigMap(`proxy-body-size: 8m, hide-headers: X-A, worker-processes: "2", service-upstream: "true"`)
	_, out, _ = checkText(t, configured, append(args, "--nginx-configmap", "nginx/controller")...)
	page := filepath.Join(t.TempDir(), "report.html")
	checkText(t, configured, append(args, "--nginx-configmap", "nginx/controller", "--html", page)...)
	html, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(html), "<h2>ConfigMap nginx/controller</h2>") ||
		!strings.Contains(string(html), intro+"<code>") {
		t.Errorf("the page has, %v: %s", err, html)
	}
	for _, want := range []string{
		"hide-headers: X-A", "proxy-body-size: 8388608", "\nConfigMap nginx/controller:\n", "  worker-processes: replaced: ",
		"  service-upstream: no effect", "UnsupportedKey: key service-upstream",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}
