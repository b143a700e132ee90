package chart

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestSchema_errorsNameValues(t *testing.T) {
	for _, c := range []struct{ name, set, want string }{
		{"a value that there is not", "replica=3", "'replica'"},
		{"the same, further down", "service.typ=NodePort", "'typ'"},
		{"in a list", "tolerations[0].efect=NoSchedule", "'efect'"},
		{"in affinity", "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.terms=x", "'terms'"},
		{"a kind that there is not", "kind=StatefulSet", "/kind"},
		{"a number in words", "replicas=two", "/replicas"},
		{"fewer than none", "replicas=-1", "/replicas"},
		{"a port that there is not", "listeners.http.port=70000", "/listeners/http/port"},
		{"a string for a switch", "hostNetwork=maybe", "/hostNetwork"},
		{"nothing to serve", "listeners.http.enabled=false,listeners.https.enabled=false", "/listeners"},
		{"a policy that there is not", "service.externalTrafficPolicy=Global", "/service/externalTrafficPolicy"},
		{"a class that no object can be called by", "ingressClass.name=My_Class", "/ingressClass/name"},
		{"a proxy that is no address", "trustedProxies[0]=10.0.0.256", "/trustedProxies/0"},
		{"a proxy with too long a prefix", "trustedProxies[0]=10.0.0.0/33", "/trustedProxies/0"},
		{"an IPv6 prefix that is too long", "proxyProtocol[0]=2001:db8::/129", "/proxyProtocol/0"},
		{"a source range without a length", "service.loadBalancerSourceRanges[0]=10.0.0.1", "/service/loadBalancerSourceRanges/0"},
		{"a flag that there is not", "extraArgs[0]=--max-conections=1", "/extraArgs/0"},
		{"a log format that there is not", "log.format=xml", "/log/format"},
		{"a rotation faster than an hour", "affinityKeys.rotation=5m", "/affinityKeys/rotation"},
		{"a store of another make", "sessionStore.url=memcached://cache", "/sessionStore/url"},
		{"a time with a unit where seconds are meant", "stop.timeoutSeconds=2m", "/stop/timeoutSeconds"},
		{"an argument that is no flag", "extraArgs[0]=run", "/extraArgs/0"},
		{"a variable without a name", "extraEnv[0].value=x", "/extraEnv/0"},
		{"a quantity that is none", "resources.limits.memory=lots", "/resources/limits/memory"},
		{"a budget of more than all", "podDisruptionBudget.maxUnavailable=120%", "/podDisruptionBudget/maxUnavailable"},
		{"a digest that is too short", "image.digest=sha256:abc", "/image/digest"},
		{"a label that the selector needs", "podLabels.app\\.kubernetes\\.io/name=x", "app.kubernetes.io/name"},
		{"an autoscaler for a DaemonSet", "kind=DaemonSet,autoscaling.enabled=true", "/autoscaling/enabled"},
		{"an autoscaler with nothing to go by", "autoscaling.enabled=true,autoscaling.targetCPUPercent=0", "/autoscaling"},
		{"root without need", "runAsRoot=true", "/runAsRoot"},
		{"a low port that nobody could bind", "hostNetwork=true,listeners.https.port=443", "/listeners/https/port"},
		{"a scope of Secrets that there is not", "rbac.secrets.scope=All", "/rbac/secrets/scope"},
		{"namespaces that would not count", "rbac.secrets.namespaces[0]=shop", "/rbac/secrets/namespaces"},
		{"ports of the node twice", "hostNetwork=true,listeners.http.hostPort=8080", "/listeners/http/hostPort"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, complaint := template(t, "--set", c.set)
			if !strings.Contains(complaint, "values don't meet the specifications") || !strings.Contains(complaint, c.want) {
				t.Errorf("--set %s: error %q, want one that names %s", c.set, complaint, c.want)
			}
		})
	}
}

func TestSchema_acceptsAddresses(t *testing.T) {
	for _, address := range []string{"10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::1", "2001:db8::/32", "::ffff:10.0.0.1", "::/0"} {
		if _, complaint := template(t, "--set", "trustedProxies[0]="+address+",proxyProtocol[0]="+address); complaint != "" {
			t.Errorf("%s: %s", address, complaint)
		}
	}
}

func TestTemplate_replicasInOrder(t *testing.T) {
	_, complaint := template(t, "--set", "autoscaling.enabled=true,autoscaling.minReplicas=5,autoscaling.maxReplicas=4")
	if !strings.Contains(complaint, "autoscaling.minReplicas is 5; it must be at most autoscaling.maxReplicas, which is 4") {
		t.Errorf("error %q", complaint)
	}
}

// node is a node of values.schema.json.
type node struct {
	Ref                  string           `json:"$ref"`
	Type                 string           `json:"type"`
	Properties           map[string]*node `json:"properties"`
	AdditionalProperties json.RawMessage  `json:"additionalProperties"`
	Items                *node            `json:"items"`
	Definitions          map[string]*node `json:"definitions"`
}

func readSchema(t *testing.T) *node {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(chartDir, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	root := new(node)
	if err := json.Unmarshal(text, root); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestSchema_rejectsUnknownValues(t *testing.T) {
	root := readSchema(t)
	var walk func(path string, n *node)
	walk = func(path string, n *node) {
		open := len(n.AdditionalProperties) == 0 || string(n.AdditionalProperties) == "true"
		if n.Type == "object" && open && path != ".global" { // set by Helm and not used
			t.Errorf("%s accepts unknown values", path)
		}
		for key, child := range n.Properties {
			walk(path+"."+key, child)
		}
		for key, child := range n.Definitions {
			walk(key, child)
		}
		if n.Items != nil {
			walk(path+"[]", n.Items)
		}
	}
	walk("", root)
}

func TestSchema_matchesDefaults(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chartDir, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	if err := yaml.UnmarshalStrict(text, &values); err != nil {
		t.Fatal(err)
	}
	root := readSchema(t)
	delete(root.Properties, "global")
	compareKeys(t, "", root, root, values)
}

// compareKeys compares keys recursively. It does not descend into maps with user-defined keys, or empty defaults.
func compareKeys(t *testing.T, path string, root, n *node, values map[string]any) {
	t.Helper()
	for key, value := range values {
		child := n.Properties[key]
		if child == nil {
			t.Errorf("%s.%s is in values.yaml, but not in the schema", path, key)
			continue
		}
		if child.Ref != "" {
			child = root.Definitions[strings.TrimPrefix(child.Ref, "#/definitions/")]
		}
		if below, ok := value.(map[string]any); ok && len(below) > 0 && len(child.Properties) > 0 {
			compareKeys(t, path+"."+key, root, child, below)
		}
	}
	for key := range n.Properties {
		if _, ok := values[key]; !ok {
			t.Errorf("%s.%s is in the schema, but not in values.yaml", path, key)
		}
	}
}
