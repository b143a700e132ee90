package translate

import "testing"

func TestNginxConfig_retries(t *testing.T) {
	for _, c := range []struct {
		key         string
		annotations []string
		attempts    int
		retries503  bool
	}{
		{"error http_503", nil, 3, true},
		{"off", nil, 1, false},
		{"off", []string{"limpet.dev/max-attempts", "2"}, 2, false},
		{"off", []string{"proxy-next-upstream", "http_503"}, 3, true},
		{"http_503", []string{"proxy-next-upstream", "error"}, 3, false},
	} {
		plain := DefaultNginx()
		route, problems := routeConfigured(Options{Nginx: &plain}, map[string]string{"proxy-next-upstream": c.key}, "nginx", c.annotations...)
		if l := route.Limits; l.MaxAttempts != c.attempts || l.RetryStatuses.Has(503) != c.retries503 || len(problems) > 0 {
			t.Errorf("%q with %q: %+v, problems %v", c.key, c.annotations, l, problems)
		}
	}
}

func TestNginxConfig_ignoredSwitches(t *testing.T) {
	for value, problems := range map[string]int{"true": 1, "false": 0} {
		if got := configured(Options{}, "service-upstream", value).config.problems; len(got) != problems {
			t.Errorf("service-upstream %s: %v", value, got)
		}
	}
}
