package translate

import (
	"fmt"
	"testing"
)

func TestVerdicts_ofValues(t *testing.T) {
	for _, c := range []struct {
		name, value, want string
	}{
		{"session-cookie-name", "route", "[{session-cookie-name exact  []}]"},
		{"affinity-mode", "persistent", "[{affinity-mode exact  []}]"},
		{"affinity-mode", "balanced", "[{affinity-mode differs sessions do not move when pods are added []}]"},
		{"session-cookie-hash", "md5", "[{session-cookie-hash replaced the cookie is an encrypted token []}]"},
		{"enable-modsecurity", "true", "[{enable-modsecurity closed  []}]"},
		{"enable-modsecurity", "false", "[{enable-modsecurity exact  []}]"},
		{"something-else", "1", "[{something-else no effect  []}]"},
		{"secure-verify-ca-secret", "ca", "[{secure-verify-ca-secret closed  [limpet.dev/backend-ca]}]"},
		{
			"configuration-snippet", "deny all; more_set_headers 'A: b'; proxy_set_header Host x; if ($x) {}",
			"[{configuration-snippet closed  [" + nginxPrefix + "custom-headers " + nginxPrefix + "denylist-source-range " +
				nginxPrefix + "upstream-vhost]}]",
		},
		{"configuration-snippet", "", "[{configuration-snippet exact  []}]"},
	} {
		if got := fmt.Sprint(Verdicts(map[string]string{nginxPrefix + c.name: c.value, "example.com/x": "1"})); got != c.want {
			t.Errorf("%s: %s: %s\nwant %s", c.name, c.value, got, c.want)
		}
	}
}

func TestVerdicts_waived(t *testing.T) {
	set := map[string]string{nginxPrefix + "enable-modsecurity": "true", AnnotationUnenforced: "auth-url, enable-modsecurity"}
	if got := Verdicts(set); len(got) != 1 || got[0].Verdict != VerdictIgnored {
		t.Errorf("%+v", got)
	}
}

// Every equivalent of a directive is an annotation that exists.
func TestSnippetEquivalents_exist(t *testing.T) {
	for directive, name := range directiveAnnotations {
		if nginxByName[name] == nil {
			t.Errorf("%s: there is no annotation %s", directive, name)
		}
	}
}
