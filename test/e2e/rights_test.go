//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

// auditLog is the environment variable with the path of the audit log, set by hack/e2e.sh.
const auditLog = "LIMPET_AUDIT_LOG"

// account is the user name of Limpet.
const account = "system:serviceaccount:" + namespace + ":limpet"

// request is the relevant part of an audit log entry.
type request struct {
	User       struct{ Username string }
	Verb       string
	RequestURI string
	ObjectRef  struct {
		Namespace, Name, APIGroup, Resource, Subresource string
	}
	ResponseStatus struct{ Code int }
}

func (r request) String() string {
	return fmt.Sprintf("%s %s %s %s/%s", r.Verb, r.ObjectRef.APIGroup, r.resource(), r.ObjectRef.Namespace, r.ObjectRef.Name)
}

func (r request) resource() string {
	return strings.TrimSuffix(r.ObjectRef.Resource+"/"+r.ObjectRef.Subresource, "/")
}

// grant is one permission: a verb on a resource, optionally limited to a namespace and a name.
type grant struct {
	namespace, group, resource, verb, name string
}

func (g grant) covers(r request) bool {
	return (g.verb == r.Verb || g.verb == "list" && r.listsByWatching()) && g.group == r.ObjectRef.APIGroup && g.resource == r.resource() &&
		(g.namespace == "" || g.namespace == r.ObjectRef.Namespace) && (g.name == "" || g.name == r.ObjectRef.Name)
}

// listsByWatching is the watch-list feature of client-go. With servers before 1.32, it falls back to list.
func (r request) listsByWatching() bool {
	return r.Verb == "watch" && strings.Contains(r.RequestURI, "sendInitialEvents=true")
}

// auditRights compares the requests of Limpet since the start of the cluster with the permissions of the chart.
func auditRights(t *testing.T, c *cluster) {
	requests := audited(t)
	for _, r := range requests {
		if r.ResponseStatus.Code == http.StatusForbidden {
			t.Errorf("request of Limpet was denied: %s", r)
		}
	}
	for _, g := range granted(t, c) {
		if !slices.ContainsFunc(requests, g.covers) {
			t.Errorf("permission %+v was not used in %d requests", g, len(requests))
		}
	}
}

// audited reads the audit log.
func audited(t *testing.T) (requests []request) {
	t.Helper()
	file, err := os.Open(os.Getenv(auditLog))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.User.Username == account && r.ObjectRef.Resource != "" {
			requests = append(requests, r)
		}
	}
	if err := lines.Err(); err != nil || len(requests) == 0 {
		t.Fatalf("%d requests of %s are logged (%v)", len(requests), account, err)
	}
	return requests
}

func granted(t *testing.T, c *cluster) (grants []grant) {
	t.Helper()
	for _, name := range []string{"-limpet", "-limpet-pod-deletion-cost"} {
		for _, rule := range get[rbacv1.ClusterRole](t, c, "clusterrole", namespace+name).Rules {
			grants = append(grants, expand(rule, "")...)
		}
	}
	for _, rule := range get[rbacv1.Role](t, c, "role", "limpet", "--namespace", namespace).Rules {
		grants = append(grants, expand(rule, namespace)...)
	}
	return grants
}

// expand returns every permission that a rule grants.
func expand(rule rbacv1.PolicyRule, namespace string) (grants []grant) {
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				for _, name := range names {
					grants = append(grants, grant{namespace, group, resource, verb, name})
				}
			}
		}
	}
	return grants
}
