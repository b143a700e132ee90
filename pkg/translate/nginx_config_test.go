package translate

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
)

var configName = types.NamespacedName{Namespace: "ingress-nginx", Name: "controller"}

func configMapNamed(name types.NamespacedName, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}, Data: data}
}

// configured returns options with a ConfigMap of these keys and values.
func configured(o Options, pairs ...string) Options {
	data := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		data[pairs[i]] = pairs[i+1]
	}
	o.NginxConfigMap = configName
	return o.withNginxConfig(configMapNamed(configName, data))
}

// routeConfigured returns the route of the Ingress of ingressWith for a ConfigMap, and all problems.
func routeConfigured(o Options, data map[string]string, class string, annotations ...string) (model.Route, []Problem) {
	o.Classes, o.NginxConfigMap = []string{"nginx", "limpet"}, configName
	w := &Snapshot{
		Ingresses:  []*networkingv1.Ingress{ingressWith(class, annotations...)},
		ConfigMaps: []*corev1.ConfigMap{configMapNamed(configName, data)},
	}
	if data == nil {
		w.ConfigMaps = nil
	}
	r := Build(w, nil, o)
	var problems []Problem
	for _, report := range r.Reports {
		for _, p := range report.Problems {
			if p.Reason != ReasonUnsupportedBackend { // the path of ingressWith has no Service
				problems = append(problems, p)
			}
		}
	}
	return r.Model.Routes[0], problems
}

func TestNginxKeys_namesAreUnique(t *testing.T) {
	if len(keysByName) != len(nginxKeys) {
		t.Errorf("%d keys have %d names", len(nginxKeys), len(keysByName))
	}
	for i := range nginxKeys {
		if k := &nginxKeys[i]; (k.effect == nil) != (k.when == "") {
			t.Errorf("%s: when is %q", k.name, k.when)
		}
	}
}

// samples are values of the keys that are honoured, which differ from the defaults.
var samples = map[string]string{
	"whitelist-source-range": "10.0.0.0/8", "denylist-source-range": "192.0.2.1", "block-cidrs": "198.51.100.0/24",
	"global-auth-url": "http://auth.example.com/x", "no-auth-locations": "/open", "proxy-set-headers": "ingress-nginx/set",
	"global-allowed-response-headers": "X-A", "ssl-redirect": "false", "force-ssl-redirect": "true",
	"preserve-trailing-slash": "true", "relative-redirects": "true", "http-redirect-code": "301",
	"no-tls-redirect-locations": "/open", "hsts": "false", "hsts-include-subdomains": "false", "hsts-preload": "true",
	"hsts-max-age": "1", "proxy-body-size": "8m", "proxy-connect-timeout": "7", "proxy-read-timeout": "7",
	"proxy-send-timeout": "7", "proxy-next-upstream": "off", "proxy-next-upstream-tries": "2",
	"proxy-next-upstream-timeout": "7", "load-balance": "round_robin", "limit-req-status-code": "429",
	"limit-conn-status-code": "429", "limit-rate": "7", "limit-rate-after": "7", "custom-http-errors": "404",
	"disable-proxy-intercept-errors": "true", "disable-access-log": "true", "disable-http-access-log": "true",
	"add-headers": "ingress-nginx/add", "hide-headers": "X-Powered-By", "use-gzip": "true", "enable-brotli": "true",
	"proxy-cookie-domain": "a.example b.example", "proxy-cookie-path": "/a /b",
}

// informative are keys whose verdict depends on the value, and that need no code.
var informative = []string{
	"allow-snippet-annotations", "allow-cross-namespace-resources", "annotations-risk-level", "strict-validate-path-type",
}

func TestNginxKeys_honouredOnesHaveAnEffect(t *testing.T) {
	plain := DefaultNginx()
	base := configured(Options{Nginx: &plain})
	for i := range nginxKeys {
		k := &nginxKeys[i]
		isHonoured := k.handling == Exact || k.handling == Differs
		isPart := strings.HasPrefix(k.name, "global-auth-") || strings.HasPrefix(k.name, "proxy-redirect-")
		value := samples[k.name]
		switch {
		case !isHonoured || slices.Contains(informative, k.name):
			continue
		case value == "" && isPart:
			continue // see the tests below
		}
		got := configured(Options{Nginx: &plain}, k.name, value)
		if len(got.config.problems) > 0 {
			t.Errorf("%s: %v", k.name, got.config.problems)
		}
		if reflect.DeepEqual(base.Nginx, got.Nginx) && reflect.DeepEqual(base.config, got.config) {
			t.Errorf("%s: %q has no effect", k.name, value)
		}
	}
	both := configured(Options{Nginx: &plain}, "proxy-redirect-from", "http://a.example/", "proxy-redirect-to", "https://b.example/")
	if both.Nginx.Rewrites.Redirect == nil {
		t.Error("proxy-redirect-from with -to has no effect")
	}
}

func TestNginxKeys_malformedOnesAreNamed(t *testing.T) {
	plain := DefaultNginx()
	for name := range samples {
		if slices.Contains([]string{"no-auth-locations", "no-tls-redirect-locations", "global-allowed-response-headers"}, name) {
			continue // any text is valid
		}
		got := configured(Options{Nginx: &plain}, name, "(%\x01")
		if len(got.config.problems) == 0 {
			t.Errorf("%s: no problem", name)
		}
		for _, p := range got.config.problems {
			if !strings.Contains(p.Message, name) {
				t.Errorf("%s: the message is %q", name, p.Message)
			}
		}
	}
}

func TestNginxKeys_protectiveOnesClose(t *testing.T) {
	for i := range nginxKeys {
		k := &nginxKeys[i]
		if k.effect == nil {
			continue
		}
		data := map[string]string{k.name: "true"}
		if k.name == "global-auth-snippet" {
			data["global-auth-url"] = "http://auth.example.com"
		}
		route, problems := routeConfigured(Options{}, data, "nginx")
		if route.Closed == "" || !strings.Contains(fmt.Sprint(problems), k.name) {
			t.Errorf("%s: closed %q, problems %v", k.name, route.Closed, problems)
		}
		if route, _ := routeConfigured(Options{}, data, "limpet"); route.Closed != "" {
			t.Errorf("%s: closes another class: %s", k.name, route.Closed)
		}
		if route, _ := routeConfigured(Options{}, data, "nginx", AnnotationNginxDefaults, "false"); route.Closed == "" {
			t.Errorf("%s: an Ingress without defaults is open", k.name)
		}
		route, problems = routeConfigured(Options{NginxUnenforced: []string{k.name}}, data, "nginx")
		if route.Closed != "" || len(problems) != 1 {
			t.Errorf("%s waived: closed %q, problems %v", k.name, route.Closed, problems)
		}
		if route, _ := routeConfigured(Options{ServeUnprotected: true}, data, "nginx"); route.Closed != "" {
			t.Errorf("%s with ServeUnprotected: closed %q", k.name, route.Closed)
		}
	}
}

func TestNginxConfig_closes(t *testing.T) {
	const auth = "http://auth.example.com"
	for _, c := range []struct {
		name        string
		data        map[string]string
		annotations []string
		options     Options
		isClosed    bool
	}{
		{"no ConfigMap", nil, nil, Options{}, true},
		{"no ConfigMap, waived", nil, nil, Options{ServeUnprotected: true}, false},
		{"empty", map[string]string{}, nil, Options{}, false},
		{"allow list", map[string]string{"whitelist-source-range": "10.0.0.0/8"}, nil, Options{}, false},
		{"broken allow list", map[string]string{"whitelist-source-range": "10.0.0.0/8,office"}, nil, Options{}, true},
		{"broken allow list, own one", map[string]string{"whitelist-source-range": "office"},
			[]string{"allowlist-source-range", "10.0.0.1"}, Options{}, false},
		{"broken deny list", map[string]string{"denylist-source-range": "office"}, nil, Options{}, true},
		{"broken deny list, own one", map[string]string{"denylist-source-range": "office"},
			[]string{"limpet.dev/deny-source-range", "10.0.0.1"}, Options{}, false},
		{"broken block list, own lists", map[string]string{"block-cidrs": "office"},
			[]string{"denylist-source-range", "10.0.0.1", "allowlist-source-range", "10.0.0.1"}, Options{}, true},
		{"misspelled key", map[string]string{"white-list-source-range": "10.0.0.0/8"}, nil, Options{}, true},
		{"misspelled key, waived", map[string]string{"white-list-source-range": "10.0.0.0/8"}, nil,
			Options{NginxUnenforced: []string{"white-list-source-range"}}, false},
		{"misspelled name of fields", map[string]string{"proxy-set-header": "ingress-nginx/set"}, nil, Options{}, true},
		{"unknown key", map[string]string{"proxy-body-sizes": "1m"}, nil, Options{}, false},
		{"broken authentication", map[string]string{"global-auth-url": "auth.example.com"}, nil, Options{}, true},
		{"broken part of authentication", map[string]string{"global-auth-url": auth, "global-auth-method": "FETCH"}, nil, Options{}, true},
		{"broken authentication, disabled", map[string]string{"global-auth-url": "auth.example.com"},
			[]string{"enable-global-auth", "false"}, Options{}, false},
		{"broken authentication, own one", map[string]string{"global-auth-url": "auth.example.com"},
			[]string{"auth-url", auth}, Options{}, false},
		{"part without authentication", map[string]string{"global-auth-method": "FETCH"}, nil, Options{}, false},
		{"unknown proxies, allow list", map[string]string{"use-forwarded-headers": "true"},
			[]string{"allowlist-source-range", "10.0.0.1"}, Options{}, true},
		{"unknown proxies, global list", map[string]string{"enable-real-ip": "true", "block-cidrs": "10.0.0.1"}, nil, Options{}, true},
		{"unknown proxies, no list", map[string]string{"use-forwarded-headers": "true"}, nil, Options{}, false},
		{"known proxies", map[string]string{"use-forwarded-headers": "true"},
			[]string{"allowlist-source-range", "10.0.0.1"}, Options{TrustsProxies: true}, false},
		{"unknown load balancers", map[string]string{"use-proxy-protocol": "true", "block-cidrs": "10.0.0.1"}, nil, Options{}, true},
		{"known load balancers", map[string]string{"use-proxy-protocol": "true", "block-cidrs": "10.0.0.1"}, nil,
			Options{ReadsProxyProtocol: true}, false},
		{"fields of a missing ConfigMap", map[string]string{"proxy-set-headers": "ingress-nginx/missing"}, nil, Options{}, true},
		{"fields of a missing ConfigMap, waived", map[string]string{"proxy-set-headers": "ingress-nginx/missing"}, nil,
			Options{NginxUnenforced: []string{"proxy-set-headers"}}, false},
		{"fields without a name", map[string]string{"proxy-set-headers": "custom"}, nil, Options{}, true},
		{"harmless snippet", map[string]string{"http-snippet": "sendfile on;"}, nil, Options{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			route, problems := routeConfigured(c.options, c.data, "nginx", c.annotations...)
			if (route.Closed != "") != c.isClosed {
				t.Errorf("closed %q, problems %v", route.Closed, problems)
			}
			if c.isClosed && !strings.Contains(fmt.Sprint(problems), ReasonProtectionNotEnforced) {
				t.Errorf("problems %v", problems)
			}
		})
	}
}

func TestNginxConfig_hsts(t *testing.T) {
	for _, c := range []struct{ want, data string }{
		{"max-age=31536000; includeSubDomains", ""},
		{"", "hsts=false"},
		{"max-age=31536000", "hsts-include-subdomains=false"},
		{"max-age=60; includeSubDomains; preload", "hsts-max-age=60 hsts-preload=true"},
		{"max-age=31536000; includeSubDomains", "hsts-max-age=1e9"},
	} {
		plain := DefaultNginx()
		var pairs []string
		for pair := range strings.FieldsSeq(c.data) {
			key, value, _ := strings.Cut(pair, "=")
			pairs = append(pairs, key, value)
		}
		if got := configured(Options{Nginx: &plain}, pairs...).Nginx.HSTS; got != c.want {
			t.Errorf("%q: %q, want %q", c.data, got, c.want)
		}
	}
	if got := configured(Options{}, "hsts-max-age", "60").Nginx.HSTS; got != "" {
		t.Errorf("without defaults: %q", got)
	}
}

func TestNginxConfig_canaryOfAnotherClass(t *testing.T) {
	primary, second := ingressWith("limpet"), ingressWith("nginx", "canary", "true", "canary-weight", "10")
	second.Name = "cart-canary"
	for _, in := range []*networkingv1.Ingress{primary, second} {
		in.Spec.Rules[0].HTTP.Paths[0].Backend.Service = &networkingv1.IngressServiceBackend{
			Name: "cart", Port: networkingv1.ServiceBackendPort{Number: 80},
		}
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}
	for _, c := range []struct {
		list     string
		backends int
	}{{"", 2}, {"10.0.0.0/8", 1}} {
		w := &Snapshot{
			Ingresses: []*networkingv1.Ingress{primary, second}, Services: []*corev1.Service{service},
			ConfigMaps: []*corev1.ConfigMap{configMapNamed(configName, map[string]string{"whitelist-source-range": c.list})},
		}
		r := Build(w, nil, Options{Classes: []string{"limpet", "nginx"}, NginxConfigMap: configName})
		if got := len(r.Model.Routes[0].Backends); got != c.backends {
			t.Errorf("whitelist-source-range %q: %d backends, want %d; %v", c.list, got, c.backends, r.Reports)
		}
	}
}
