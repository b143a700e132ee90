package translate_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// effectCase is a policy with these fields, and the fields that are reported because they have no effect.
type effectCase struct {
	name string
	spec string
	want []string
}

const (
	issuedMethod = "methods: [{source: Cookie, binding: Issued, cookie: {name: id}}]\n"
	hashedMethod = "methods: [{source: Header, binding: Hashed, header: {name: X-Id}}]\n"
	namedMethod  = "methods: [{source: Header, binding: Named, header: {name: X-Id}}]\n"
	bothMethods  = "methods: [{source: Cookie, binding: Issued}, {source: SourceIP, binding: Hashed}]\n"
	learnMethod  = "methods: [{source: Cookie, binding: Learned, cookie: {name: id}}]\n"
)

// cookieWith returns a learned cookie with another attribute.
func cookieWith(attribute string) string {
	return "methods: [{source: Cookie, binding: Learned, cookie: {name: id, " + attribute + "}}]\n"
}

var effectCases = []effectCase{
	{"defaults", issuedMethod, nil},
	{"timeouts of a token", issuedMethod + "absoluteTimeout: 1h\nidleTimeout: 10m", nil},
	{"timeouts of a learned id", learnMethod + "absoluteTimeout: 1h", nil},
	{"timeouts of a hash", hashedMethod + "absoluteTimeout: 1h\nidleTimeout: 10m", []string{"absoluteTimeout", "idleTimeout"}},
	{"timeouts of a name", namedMethod + "absoluteTimeout: 1h", []string{"absoluteTimeout"}},
	{"timeouts of 0s", hashedMethod + "absoluteTimeout: 0s", nil},
	{"pick", issuedMethod + "newSession: {pick: RoundRobin}", nil},
	{"pick before the address", bothMethods + "newSession: {pick: RoundRobin}", []string{"newSession.pick"}},
	{"pick before the host", "methods: [{source: Composite, binding: Hashed, composite: {parts: [{source: Host}]}}]\n" +
		"newSession: {pick: Random}", []string{"newSession.pick"}},
	{"pick before a composite header", "methods: [{source: Composite, binding: Hashed, composite: {parts: " +
		"[{source: Header, header: {name: X}}]}}]\nnewSession: {pick: Random}", nil},
	{"zone", issuedMethod + "newSession: {preferZone: true}", nil},
	{"zone and hashes", bothMethods + "newSession: {preferZone: true}", []string{"newSession.preferZone"}},
	{"zone and pick Hash", issuedMethod + "newSession: {preferZone: true, pick: Hash}", []string{"newSession.preferZone"}},
	{"wait", namedMethod + "unavailable: {action: Wait, wait: 1s}", nil},
	{"wait of a hash", hashedMethod + "unavailable: {action: Wait, wait: 1s}", []string{"unavailable.action"}},
	{"lend", issuedMethod + "unavailable: {notReady: Lend}", nil},
	{"lend of a hash", hashedMethod + "unavailable: {notReady: Lend}", []string{"unavailable.notReady"}},
	{"fail of a hash", hashedMethod + "unavailable: {action: Fail}", nil},
	{"ejection", issuedMethod + "ejection: {events: [Reset], statuses: [503]}", nil},
	{"ejection switched off", issuedMethod + "ejection: {failures: 0}", nil},
	{"ejection switched off with events", issuedMethod + "ejection: {failures: 0, events: [Reset]}", []string{"ejection.failures"}},
	{"rebalance", issuedMethod + "idleTimeout: 10m\nrebalance: {mode: OnIdle, afterIdle: 5m}", nil},
	{"rebalance after the idle timeout", issuedMethod + "idleTimeout: 10m\nrebalance: {mode: OnIdle, afterIdle: 7m}",
		[]string{"rebalance"}},
	{"rebalance after the absolute timeout", issuedMethod + "absoluteTimeout: 1m\nrebalance: {mode: OnIdle, afterIdle: 1m}",
		[]string{"rebalance"}},
	{"handoff", issuedMethod + "idleTimeout: 10s\ndrain: {timeout: 20s, handoff: {}}", nil},
	{"handoff after the idle timeout", issuedMethod + "idleTimeout: 10s\ndrain: {handoff: {afterIdle: 7s}}",
		[]string{"drain.handoff"}},
	{"handoff after the drain", issuedMethod + "drain: {timeout: 10s, handoff: {afterIdle: 7s}}",
		[]string{"drain.handoff.afterIdle"}},
	{"hash factor", bothMethods + "hash: {balanceFactor: 150}", nil},
	{"hash factor without a hash", issuedMethod + "hash: {balanceFactor: 150}", []string{"hash.balanceFactor"}},
	{"budget", bothMethods + "stickyBudget: {balanceFactor: 150, minRequests: 3}", nil},
	{"budget of a hash", hashedMethod + "stickyBudget: {balanceFactor: 150}", []string{"stickyBudget.balanceFactor"}},
	{"budget without a factor", issuedMethod + "stickyBudget: {minRequests: 3}", []string{"stickyBudget.minRequests"}},
	{"adopt", issuedMethod + "adopt: [NGINX]", nil},
	{"adopt without a name", bothMethods + "adopt: [NGINX]", []string{"adopt"}},
	{"group", issuedMethod + "group: g", nil},
	{"group of names", namedMethod + "group: g", []string{"group"}},
	{"exempt paths", issuedMethod + "exempt: {paths: [/static]}", nil},
	{"exempt everything", issuedMethod + "exempt: {paths: [/static, /]}", []string{"exempt.paths"}},
	{"path of an app's cookie", cookieWith("path: /x"), []string{"methods[0].cookie.path"}},
	{"domain of an app's cookie", cookieWith("domain: a.test"), []string{"methods[0].cookie.domain"}},
	{"sameSite of an app's cookie", cookieWith("sameSite: Strict"), []string{"methods[0].cookie.sameSite"}},
	{"secure of an app's cookie", cookieWith("secure: Always"), []string{"methods[0].cookie.secure"}},
	{"httpOnly of an app's cookie", cookieWith("httpOnly: false"), []string{"methods[0].cookie.httpOnly"}},
	{"partitioned app's cookie", cookieWith("partitioned: true"), []string{"methods[0].cookie.partitioned"}},
	{"lifetime of an app's cookie", cookieWith("lifetimeType: Permanent") + "absoluteTimeout: 1h",
		[]string{"methods[0].cookie.lifetimeType"}},
	{"attributes of a token's cookie", "methods: [{source: Cookie, binding: Issued, cookie: {path: /x, domain: a.test, " +
		"sameSite: Strict, secure: Always, httpOnly: false}}]", nil},
	{"hashed before learned", "methods: [{source: Cookie, binding: Hashed, cookie: {name: id}}, " +
		"{source: Cookie, binding: Learned, cookie: {name: id}}]", []string{"methods[1]"}},
	{"learned before hashed", "methods: [{source: Cookie, binding: Learned, cookie: {name: id}}, " +
		"{source: Cookie, binding: Hashed, cookie: {name: id}}]", nil},
	{"the same cookie twice", "methods: [{source: Cookie, binding: Issued}, {source: Cookie, binding: Issued}]",
		[]string{"methods[1]"}},
	{"two cookies", "methods: [{source: Cookie, binding: Issued, cookie: {name: a}}, " +
		"{source: Cookie, binding: Issued, cookie: {name: b}}]", nil},
	{"a name by two labels", "methods: [{source: Cookie, binding: Named, cookie: {name: a}}, " +
		"{source: Cookie, binding: Named, cookie: {name: a}, named: {by: PodLabel, key: k}}]", nil},
	{"path beside the URI", "methods: [{source: Composite, binding: Hashed, composite: {parts: " +
		"[{source: URI}, {source: Path}]}}]", []string{"methods[0].composite.parts"}},
}

func buildPolicy(t *testing.T, spec string, o translate.Options) []translate.Problem {
	t.Helper()
	text := "apiVersion: limpet.dev/v1alpha1\nkind: AffinityPolicy\nmetadata: {name: p, namespace: shop}\nspec:\n" +
		"  targetRefs: [{kind: Service, name: cart}]\n"
	for line := range strings.SplitSeq(strings.TrimSpace(spec), "\n") {
		text += "  " + line + "\n"
	}
	text += "---\napiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop}\nspec: {ports: [{port: 80}]}\n"
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := manifest.Load([]string{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range translate.Build(found.Snapshot, nil, o).Reports {
		if r.Ref.Name == "p" {
			return r.Problems
		}
	}
	return nil
}

func TestPolicy_settingsWithoutEffect(t *testing.T) {
	for _, c := range effectCases {
		t.Run(c.name, func(t *testing.T) {
			checkEffects(t, buildPolicy(t, c.spec, translate.Options{}), c.want)
		})
	}
}

func TestPolicy_zoneIsUnknown(t *testing.T) {
	spec := issuedMethod + "newSession: {preferZone: true}"
	checkEffects(t, buildPolicy(t, spec, translate.Options{WithoutZone: true}), []string{"newSession.preferZone"})
}

func checkEffects(t *testing.T, problems []translate.Problem, want []string) {
	t.Helper()
	var got []string
	for _, p := range problems {
		if p.Reason != translate.ReasonNoEffect {
			t.Errorf("problem %+v", p)
		}
		got = append(got, strings.TrimPrefix(p.Field, "spec."))
	}
	if !slices.Equal(got, want) {
		t.Errorf("reported %v, want %v", got, want)
	}
}
