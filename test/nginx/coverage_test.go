package nginx

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// elsewhere has the tests of annotations that testdata/same does not compare with nginx, by their names: a folder of this
// repository and a test in it, which sends requests.
var elsewhere = map[string]string{
	"affinity":                                 "test/nginx TestWire_cookieAttributes",
	"affinity-canary-behavior":                 "test/stay TestAdopt_ingressNginxCanary",
	"affinity-mode":                            "test/stay TestMigration_thereAndBack",
	"auth-cache-duration":                      "pkg/proxy TestExternalAuth_cache",
	"auth-cache-key":                           "pkg/proxy TestExternalAuth_cache",
	"auth-tls-error-page":                      "pkg/proxy TestClientResponses",
	"auth-tls-match-cn":                        "pkg/proxy TestClientResponses",
	"auth-tls-pass-certificate-to-upstream":    "pkg/proxy TestClientResponses_fields",
	"auth-tls-secret":                          "pkg/proxy TestClientResponses",
	"auth-tls-verify-client":                   "pkg/proxy TestClientResponses",
	"auth-tls-verify-depth":                    "pkg/proxy TestClientResponses",
	"enable-access-log":                        "pkg/proxy TestUnlogged_route",
	"enable-global-auth":                       "cmd/limpet TestNginxConfigMap_globalAuthentication",
	"limit-connections":                        "pkg/proxy TestRateLimit_connectionsEnd",
	"limit-rate":                               "pkg/proxy TestResponseRate_paces",
	"limit-rate-after":                         "pkg/proxy TestResponseRate_paces",
	"load-balance":                             "test/nginx TestWire_loadBalance",
	"mirror-host":                              "pkg/proxy TestMirror_settings",
	"mirror-request-body":                      "pkg/proxy TestMirror_settings",
	"mirror-target":                            "pkg/proxy TestMirror_copies",
	"proxy-connect-timeout":                    "pkg/proxy TestRouteLimits_http2ConnectTimeout",
	"proxy-next-upstream-timeout":              "pkg/proxy TestRouteLimits_retryTimeout",
	"proxy-next-upstream-tries":                "pkg/proxy TestRouteLimits_attempts",
	"proxy-read-timeout":                       "pkg/proxy TestRouteLimits_responseTimeout",
	"proxy-send-timeout":                       "pkg/proxy TestRouteLimits_bodyTimeout",
	"proxy-ssl-protocols":                      "pkg/proxy TestBackendTLS_depthAndVersion",
	"proxy-ssl-secret":                         "pkg/proxy TestBackendTLS_clientCertificate",
	"proxy-ssl-verify":                         "pkg/proxy TestBackendTLS_verification",
	"proxy-ssl-verify-depth":                   "pkg/proxy TestBackendTLS_depthAndVersion",
	"session-cookie-change-on-failure":         "test/nginx TestWire_changeOnFailure",
	"session-cookie-conditional-samesite-none": "test/nginx TestWire_cookieAttributes",
	"session-cookie-domain":                    "test/nginx TestWire_cookieAttributes",
	"session-cookie-expires":                   "test/nginx TestWire_cookieAttributes",
	"session-cookie-max-age":                   "test/nginx TestWire_cookieAttributes",
	"session-cookie-name":                      "test/nginx TestWire_cookieAttributes",
	"session-cookie-partitioned":               "test/nginx TestWire_cookieAttributes",
	"session-cookie-path":                      "test/nginx TestWire_cookieAttributes",
	"session-cookie-samesite":                  "test/nginx TestWire_cookieAttributes",
	"session-cookie-secure":                    "test/nginx TestWire_cookieAttributes",
	"ssl-passthrough":                          "pkg/proxy TestPassthrough_besideTerminatedHosts",
	"upstream-hash-by":                         "test/nginx TestWire_upstreamHashBy",
	"upstream-hash-by-subset":                  "test/nginx TestWire_upstreamHashBy",
}

// unseen are the annotations that change nothing that clients or pods see, with the reason.
var unseen = map[string]string{}

// Each annotation that Limpet honours has a test that sends requests.
func TestAnnotations_areTestedOverTheWire(t *testing.T) {
	compared := comparedAnnotations(t)
	honoured := map[string]bool{}
	for _, row := range translate.NginxAnnotations() {
		if row.Handling != translate.Exact && row.Handling != translate.Differs {
			continue
		}
		honoured[row.Name] = true
		where, why := elsewhere[row.Name], unseen[row.Name]
		switch {
		case compared[row.Name] && where+why != "":
			t.Errorf("%s is in testdata/same, and listed here too", row.Name)
		case compared[row.Name], why != "":
		case where == "":
			t.Errorf("%s has no test that sends requests", row.Name)
		default:
			folder, test, _ := strings.Cut(where, " ")
			if !hasTest(t, filepath.Join("../..", folder), test) {
				t.Errorf("%s: %s has no test %s", row.Name, folder, test)
			}
		}
	}
	for _, list := range []map[string]string{elsewhere, unseen} {
		for name := range list {
			if !honoured[name] {
				t.Errorf("%s is no annotation that Limpet honours", name)
			}
		}
	}
}

// comparedAnnotations returns the annotations in testdata/same.
func comparedAnnotations(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("testdata/same/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	key := regexp.MustCompile(`(?m)^ +nginx\.ingress\.kubernetes\.io/([a-z0-9-]+):`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range key.FindAllSubmatch(text, -1) {
			out[string(match[1])] = true
		}
	}
	return out
}

// hasTest reports whether a test file in a folder defines a test.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}
