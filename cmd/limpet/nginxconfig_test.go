package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/wait"
)

// podManifests returns a Service with one pod, which is a server of the test.
func podManifests(t *testing.T, namespace, name string, handler http.HandlerFunc) string {
	t.Helper()
	pod := httptest.NewServer(handler)
	t.Cleanup(pod.Close)
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {namespace: %[1]s, name: %[2]s}\nspec:\n  ports: [{port: 80}]\n---\n"+
		"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"+
		"metadata: {namespace: %[1]s, name: %[2]s, labels: {kubernetes.io/service-name: %[2]s}}\n"+
		"addressType: IPv4\nports: [{name: \"\", port: %[3]s}]\nendpoints: [{addresses: [127.0.0.1]}]\n---\n",
		namespace, name, pod.URL[strings.LastIndexByte(pod.URL, ':')+1:])
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// nginxManifests has an Ingress of class nginx for the host shop.test, with the paths / and /open.
const nginxManifests = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {namespace: shop, name: shop}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.test
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
      - {path: /open, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
---
`

func nginxConfigMap(data string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: nginx, name: controller}\ndata: {" + data + "}\n"
}

// fetch sends a request for a host, and returns the status and the body.
func fetch(address, host, path string, fields ...string) string {
	request, err := http.NewRequest(http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return err.Error()
	}
	request.Host = host
	for i := 0; i < len(fields); i += 2 {
		request.Header.Set(fields[i], fields[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return fmt.Sprintf("%d %s", response.StatusCode, body)
}

func TestNginxConfigMap_changesWhileServing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop.yaml", podManifests(t, "shop", "shop", says("shop"))+nginxManifests)
	p := start(t, "dev", "--manifests", dir, "--ingress-class", "nginx", "--nginx-configmap", "nginx/controller")
	const closed = "503 This route is not available.\n"
	if got := fetch(p.http, "shop.test", "/"); got != closed {
		t.Errorf("without the ConfigMap: %q", got)
	}
	for _, c := range []struct{ data, want string }{
		{"", "200 shop"},
		{"block-cidrs: 127.0.0.0/8", "403"},
		{"whitelist-source-range: 127.0.0.1", "200 shop"},
		{"whitelist-source-range: office", closed},
		{`enable-modsecurity: "true"`, closed},
		{`enable-modsecurity: "false"`, "200 shop"},
	} {
		write(t, dir, "config.yaml", nginxConfigMap(c.data))
		wait.Until(t, c.data+" has the response "+c.want, func() bool {
			return strings.HasPrefix(fetch(p.http, "shop.test", "/"), c.want)
		})
	}
	p.stop(t)
}

func TestNginxConfigMap_globalAuthentication(t *testing.T) {
	dir := t.TempDir()
	auth := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "right" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		w.Header().Set("X-User", "ann")
	}
	shop := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "for %s%s", r.Header.Get("X-User"), r.Header.Get("X-Remote-User"))
	}
	write(t, dir, "shop.yaml", podManifests(t, "shop", "shop", shop)+podManifests(t, "login", "auth", auth)+nginxManifests)
	write(t, dir, "exempt.yaml", strings.NewReplacer("name: shop}", `name: exempt, annotations: {nginx.ingress.kubernetes.io/enable-global-auth: "false"}}`,
		"host: shop.test", "host: exempt.test").Replace(nginxManifests))
	write(t, dir, "config.yaml", nginxConfigMap("global-auth-url: http://auth.login.svc/check, no-auth-locations: /open,"+
		"global-auth-response-headers: X-User, proxy-set-headers: nginx/set")+
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: nginx, name: set}\ndata: {X-Remote-User: \"\"}\n")
	p := start(t, "dev", "--manifests", dir, "--ingress-class", "nginx", "--nginx-configmap", "nginx/controller")
	for _, c := range []struct {
		path   string
		fields []string
		want   string
	}{
		{"/", nil, "401"},
		{"/", []string{"X-Key", "wrong"}, "401"},
		{"/", []string{"X-Key", "right", "X-Remote-User", "root"}, "200 for ann"},
		{"/open", []string{"X-Remote-User", "root"}, "200 for "},
		{"//open/../", nil, "40"},
		{"/%6fpen/..%2f", nil, "40"},
	} {
		if got := fetch(p.http, "shop.test", c.path, c.fields...); !strings.HasPrefix(got, c.want) ||
			strings.HasPrefix(c.want, "200") && got != c.want {
			t.Errorf("%s %q: %q, want %q", c.path, c.fields, got, c.want)
		}
	}
	if got := fetch(p.http, "exempt.test", "/"); got != "200 for " {
		t.Errorf("with enable-global-auth: false: %q", got)
	}
	p.stop(t)
}

func TestDefaultBackendService_pagesAndUnmatched(t *testing.T) {
	dir := t.TempDir()
	pages := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, "page %s", r.Header.Get("X-Code"))
	}
	missing := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, "shop")
	}
	write(t, dir, "shop.yaml", podManifests(t, "shop", "shop", missing)+nginxManifests)
	write(t, dir, "pages.yaml", podManifests(t, "nginx", "pages", pages)+nginxConfigMap(`custom-http-errors: "404"`))
	p := start(t, "dev", "--manifests", dir, "--ingress-class", "nginx", "--nginx-configmap", "nginx/controller",
		"--default-backend-service", "nginx/pages")
	for _, c := range []struct{ host, path, want string }{
		{"shop.test", "/", "200 shop"},
		{"shop.test", "/missing", "404 page 404"},
		{"unknown.test", "/missing", "404 page "},
	} {
		if got := fetch(p.http, c.host, c.path); got != c.want {
			t.Errorf("%s%s: %q, want %q", c.host, c.path, got, c.want)
		}
	}
	write(t, dir, "pages.yaml", nginxConfigMap(""))
	wait.Until(t, "requests without a route get a 404 of Limpet", func() bool {
		return strings.HasPrefix(fetch(p.http, "unknown.test", "/"), "404 No route")
	})
	p.stop(t)
}

func TestNginxConfigMap_check(t *testing.T) {
	text := nginxManifests + nginxConfigMap(`enable-modsecurity: "true", use-forwarded-headers: "true", block-cidrs: 192.0.2.1`)
	args := []string{"--ingress-class", "nginx", "--nginx-configmap", "nginx/controller"}
	for _, c := range []struct {
		args []string
		says []string
	}{
		{nil, []string{`key "enable-modsecurity"`, `key "use-forwarded-headers"`}},
		{[]string{"--trusted-proxies", "10.0.0.0/8"}, []string{`key "enable-modsecurity"`}},
		{[]string{"--nginx-unenforced-keys", "enable-modsecurity,http-snippet"},
			[]string{"because --nginx-unenforced-keys lists it", `lists "http-snippet", which ConfigMap nginx/controller does not have`}},
	} {
		_, out, stderr := checkText(t, text, append(args, c.args...)...)
		for _, want := range c.says {
			if !strings.Contains(stderr, want) {
				t.Errorf("%q: it does not say %q:\n%s", c.args, want, stderr)
			}
		}
		if isOpen := !strings.Contains(out, "closed:"); isOpen {
			t.Errorf("%q: the routes are open:\n%s", c.args, out)
		}
	}
	open := append(args, "--nginx-unenforced-keys", "enable-modsecurity", "--trusted-proxies", "10.0.0.0/8")
	if _, out, stderr := checkText(t, text, open...); strings.Contains(out, "closed:") {
		t.Errorf("%q: closed:\n%s", open, stderr)
	}
	pages := podManifests(t, "nginx", "pages", says("page"))
	if _, out, _ := checkText(t, pages, "-o", "table", "--default-backend-service", "nginx/pages"); !strings.Contains(out, "(unmatched)") {
		t.Errorf("the table does not have the default backend:\n%s", out)
	}
	if status, _, stderr := checkText(t, text, "--nginx-unenforced-keys", "x"); status != exitUsage {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// Settings that change bytes: fields, compression, logs and redirects.
func TestNginxConfigMap_onTheWire(t *testing.T) {
	dir := t.TempDir()
	shop := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Powered-By", "php")
		w.Header().Set("Set-Cookie", "sid=1; Path=/app")
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, strings.Repeat("shop ", 1000)+r.Header.Get("X-Stage"))
	}
	write(t, dir, "shop.yaml", podManifests(t, "shop", "shop", shop)+nginxManifests)
	write(t, dir, "config.yaml", nginxConfigMap(`hide-headers: X-Powered-By, add-headers: nginx/add, proxy-set-headers: nginx/set, `+
		`use-gzip: "true", proxy-cookie-path: "/app /", force-ssl-redirect: "true", no-tls-redirect-locations: /open, `+
		`http-redirect-code: "307", proxy-body-size: "10"`)+
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: nginx, name: add}\ndata: {X-Frame-Options: DENY}\n"+
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: nginx, name: set}\ndata: {X-Stage: test}\n")
	p := start(t, "dev", "--manifests", dir, "--ingress-class", "nginx", "--nginx-configmap", "nginx/controller")
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	send := func(method, path, body, coding string) (status int, head http.Header, text string) {
		t.Helper()
		request, err := http.NewRequest(method, "http://"+p.http+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "shop.test"
		request.Header.Set("Accept-Encoding", coding)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		read, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header, string(read)
	}
	if status, head, _ := send(http.MethodGet, "/", "", "gzip"); status != 307 || head.Get("Location") != "https://shop.test" {
		t.Errorf("redirect: %d %v", status, head)
	}
	status, head, _ := send(http.MethodGet, "/open", "", "gzip")
	if status != http.StatusOK || head.Get("X-Powered-By") != "" || head.Get("X-Frame-Options") != "DENY" ||
		head.Get("Set-Cookie") != "sid=1; Path=/" || head.Get("Content-Encoding") != "gzip" {
		t.Errorf("response: %d %v", status, head)
	}
	if _, _, text := send(http.MethodGet, "/open", "", "identity"); !strings.HasSuffix(text, " test") {
		t.Error("the pod has not received X-Stage")
	}
	if status, _, _ := send(http.MethodPost, "/open", "more than ten bytes", "identity"); status != http.StatusRequestEntityTooLarge {
		t.Errorf("large body: %d", status)
	}
	p.stop(t)
}
