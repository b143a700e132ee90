package manifest

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

func TestRead_errors(t *testing.T) {
	const service = "apiVersion: v1\nkind: Service\nmetadata: {name: cart}\n"
	const policy = "apiVersion: limpet.dev/v1alpha1\nkind: AffinityPolicy\nmetadata: {name: cart}\nspec:\n"
	for name, c := range map[string]struct{ text, want string }{
		"a tab": {
			"apiVersion: v1\nkind: Service\n\tmetadata: {}\n",
			"f.yaml:3: found a tab character that violates indentation",
		},
		"an open brace": {
			"apiVersion: v1\nkind: Service\nmetadata: {name: cart, labels: {a: b c: d}}\n",
			"f.yaml:3: ",
		},
		"a mapping in a word": {
			service + "spec: a: b\n",
			"f.yaml:4: mapping values are not allowed in this context",
		},
		"an error further on": {
			service + "---\n# b\n" + "---\nb: 1\na: b: c\n",
			"f.yaml:8: mapping values",
		},
		"a repeated key": {
			service + "spec:\n  type: ClusterIP\n  type: NodePort\n",
			`f.yaml:6: key "type" already set in map`,
		},
		"an unknown field": {
			service + "spec:\n  ports:\n  - port: 80\n  - prot: 81\n",
			`f.yaml:7: unknown field "spec.ports[1].prot"`,
		},
		"a field in the wrong case": {
			service + "spec:\n  Type: ClusterIP\n",
			`f.yaml:5: unknown field "spec.Type"`,
		},
		"a wrong type": {
			service + "spec:\n  ports: [{port: http}]\n",
			"f.yaml:5: spec.ports.port must be of type int32, not string",
		},
		"no kind": {
			"apiVersion: v1\nmetadata: {name: cart}\n",
			"f.yaml:1: not a Kubernetes object: apiVersion and kind must be set",
		},
		"a list of numbers": {"[1, 2]\n", "f.yaml:1: not a Kubernetes object"},
		"a word":            {"---\nhello\n", "f.yaml:2: not a Kubernetes object"},
		"no name": {
			"apiVersion: v1\nkind: Service\nmetadata:\n  namespace: shop\n",
			"f.yaml:3: metadata.name must be set",
		},
		"a bad name": {
			"apiVersion: v1\nkind: Service\nmetadata:\n  name: Cart_1\n",
			`f.yaml:4: metadata.name "Cart_1"`,
		},
		"a bad namespace": {
			"apiVersion: v1\nkind: Service\nmetadata:\n  name: cart\n  namespace: a.b\n",
			`f.yaml:5: metadata.namespace "a.b"`,
		},
		"the same object": {
			service + "---\n" + service,
			"f.yaml:7: Service default/cart is already defined at f.yaml:3",
		},
		"a second document": {service + "...\n" + service, "found more than one document"},
		"a line of dashes":  {service + "--- more\n", "found more than one document"},
		"many aliases":      {aliasBomb(), "f.yaml:1: document contains excessive aliasing"},
		"a wrong item": {
			"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n  spec:\n    tpe: x\n",
			`f.yaml:8: unknown field "spec.tpe"`,
		},
		"items is not a list": {
			"apiVersion: v1\nkind: List\nitems: {a: b}\n",
			"f.yaml:3: items must be of type []json.RawMessage, not object",
		},
		"an unknown policy field": {
			policy + "  targetRef: []\n",
			"f.yaml:5: spec.targetRef: Forbidden: unknown field",
		},
		"a policy without methods": {
			policy + "  targetRefs: [{kind: Service, name: cart}]\n",
			"f.yaml:4: spec.methods: Required value",
		},
		"a policy that violates a rule": {
			policy + "  targetRefs: [{kind: Service, name: cart}]\n  methods:\n  - source: SourceIP\n    binding: Issued\n",
			"f.yaml:7: spec.methods[0]: Invalid value: source SourceIP takes binding Hashed",
		},
		"an unknown field of a policy's metadata": {
			"apiVersion: limpet.dev/v1alpha1\nkind: AffinityPolicy\nmetadata:\n  name: cart\n  extra: x\n" +
				"spec: {targetRefs: [{kind: Service, name: cart}], methods: [{source: SourceIP, binding: Hashed}]}\n",
			`f.yaml:5: unknown field "metadata.extra"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			snapshot, _, err := Read("f.yaml", []byte(c.text))
			if snapshot != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got snapshot %v and error %v, want error %q", snapshot, err, c.want)
			}
		})
	}
}

func aliasBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := '1'; i <= '9'; i++ {
		before := string(i - 1)
		b.WriteString("a" + string(i) + ": &a" + string(i) + " [" + strings.Repeat("*a"+before+", ", 9) + "*a" + before + "]\n")
	}
	return b.String()
}

func TestRead_truncatesErrors(t *testing.T) {
	var b strings.Builder
	for range 30 {
		b.WriteString("---\nkind: Service\n")
	}
	_, _, err := Read("f.yaml", []byte(b.String()))
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxErrors+1 || lines[maxErrors] != "and 10 more" {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
	var first *Error
	if !errors.As(err, &first) || first.File != "f.yaml" || first.Line != 2 {
		t.Errorf("the first error is %+v", first)
	}
}

func TestRead_setsDefaults(t *testing.T) {
	snapshot, _, err := Read("f.yaml", []byte(`# a comment, and an empty document
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {ports: [{port: 80}, {name: web, port: 81, targetPort: http, protocol: UDP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: cart-1}
addressType: IPv4
endpoints: []
ports: [{port: 8080}]
---
apiVersion: v1
kind: Secret
metadata: {name: tls}
data: {a: b2xk, b: b2xk}
stringData: {a: new}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: limpet}
spec: {controller: limpet.dev/ingress}
---
apiVersion: limpet.dev/v1alpha1
kind: AffinityPolicy
metadata: {name: cart, namespace: shop}
spec: {targetRefs: [{kind: Service, name: cart}], methods: [{source: Cookie, binding: Issued, cookie: {}}]}
status: {targets: []}
`))
	if err != nil {
		t.Fatal(err)
	}
	service, slice, secret, p := snapshot.Services[0], snapshot.EndpointSlices[0], snapshot.Secrets[0], snapshot.Policies[0]
	if port := service.Spec.Ports[0]; port.Protocol != corev1.ProtocolTCP || port.TargetPort.IntVal != 80 {
		t.Errorf("Service first port = %+v", port)
	}
	if port := service.Spec.Ports[1]; port.Protocol != corev1.ProtocolUDP || port.TargetPort.StrVal != "http" {
		t.Errorf("Service second port = %+v", port)
	}
	if service.Namespace != "default" || p.Namespace != "shop" || snapshot.IngressClasses[0].Namespace != "" {
		t.Errorf("namespaces %q, %q, %q", service.Namespace, p.Namespace, snapshot.IngressClasses[0].Namespace)
	}
	if port := slice.Ports[0]; *port.Protocol != corev1.ProtocolTCP || *port.Name != "" {
		t.Errorf("EndpointSlice port = %+v", port)
	}
	if string(secret.Data["a"]) != "new" || string(secret.Data["b"]) != "old" || secret.StringData != nil {
		t.Errorf("Secret = %+v", secret)
	}
	cookie := p.Spec.Methods[0].Cookie
	if cookie.Path != "/" || cookie.SameSite != v1alpha1.SameSiteLax || cookie.HTTPOnly == nil || !*cookie.HTTPOnly {
		t.Errorf("cookie = %+v", cookie)
	}
	if p.Spec.NewSession.Pick != v1alpha1.PickLeastSessions || p.Spec.Unavailable.Status != 503 {
		t.Errorf("policy = %+v", p.Spec)
	}
}

func TestRead_list(t *testing.T) {
	snapshot, skipped, err := Read("f.yaml", []byte(`apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: cart}
- apiVersion: v1
  kind: Node
  metadata: {name: cart-0}
`))
	if err != nil || len(snapshot.Services) != 1 {
		t.Fatalf("got %+v, %v", snapshot, err)
	}
	if len(skipped) != 1 || skipped[0].String() != "f.yaml:8: kind v1 Node is not supported" {
		t.Errorf("skipped %v", skipped)
	}
}

func TestRead_podMetadata(t *testing.T) {
	snapshot, _, err := Read("f.yaml", []byte(`apiVersion: v1
kind: Pod
metadata: {name: cart-0, uid: "17", labels: {app: cart}, annotations: {limpet.dev/drain: "true"}}
spec: {containers: [{name: app, novelty: 1}]}
status: {phase: Running}
`))
	if err != nil || len(snapshot.Pods) != 1 {
		t.Fatalf("got %+v, %v", snapshot, err)
	}
	p := snapshot.Pods[0]
	if p.Namespace != "default" || p.UID != "17" || p.Labels["app"] != "cart" || p.Annotations["limpet.dev/drain"] != "true" {
		t.Errorf("pod = %+v", p)
	}
	_, _, err = Read("f.yaml", []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: cart-0, anotations: {limpet.dev/drain: \"true\"}}\n"))
	if err == nil || !strings.Contains(err.Error(), "f.yaml:3: ") || !strings.Contains(err.Error(), "anotations") {
		t.Errorf("misspelled field: error %v", err)
	}
}

func TestRead_skipsUnsupportedKinds(t *testing.T) {
	snapshot, skipped, err := Read("f.yaml", []byte(`apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec: {whatever: true}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: cart}
`))
	if err != nil || len(snapshot.Services) != 0 {
		t.Fatalf("got %+v, %v", snapshot, err)
	}
	want := []string{
		"f.yaml:2: kind apps/v1 Deployment is not supported",
		"f.yaml:7: kind serving.knative.dev/v1 Service is not supported",
	}
	if len(skipped) != 2 || skipped[0].String() != want[0] || skipped[1].String() != want[1] {
		t.Errorf("skipped %v, want %v", skipped, want)
	}
}

func TestRead_unsupportedVersions(t *testing.T) {
	for meta, want := range map[string]string{
		"apiVersion: networking.k8s.io/v1beta1\nkind: Ingress":      "it must be networking.k8s.io/v1 Ingress",
		"apiVersion: extensions/v1beta1\nkind: Ingress":             "it must be networking.k8s.io/v1 Ingress",
		"apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice": "it must be discovery.k8s.io/v1 EndpointSlice",
		"apiVersion: v1\nkind: service":                             "it must be v1 Service",
		"apiVersion: limpet.dev/v1\nkind: AffinityPolicy":           "it must be limpet.dev/v1alpha1 AffinityPolicy",
		"apiVersion: limpet.dev/v1alpha1\nkind: AfinityPolicy":      "it must be limpet.dev/v1alpha1 AffinityPolicy",
	} {
		snapshot, _, err := Read("f.yaml", []byte(meta+"\nmetadata: {name: cart}\n"))
		if snapshot != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", meta, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n---\n")
	f.Add("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret}, 1, null]\n")
	f.Add("apiVersion: limpet.dev/v1alpha1\nkind: AffinityPolicy\nmetadata: {name: a}\nspec: {methods: [null], targetRefs: 1}\n")
	f.Add("a: &a [*a]\n--- # x\n...\n")
	f.Fuzz(func(t *testing.T, text string) {
		snapshot, _, err := Read("f.yaml", []byte(text))
		if (snapshot == nil) == (err == nil) {
			t.Errorf("snapshot %v and error %v, want exactly one", snapshot, err)
		}
	})
}
