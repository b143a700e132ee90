package chart

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// The Service for preStop hooks and the permission to review tokens exist only if the hook is enabled.
func TestChart_drainHook(t *testing.T) {
	for name, c := range map[string]struct {
		args      []string
		enabled   bool
		complaint string
	}{
		"default":        {nil, false, ""},
		"enabled":        {[]string{"--set", "drainHook.enabled=true,listeners.admin.tokenReview=true"}, true, ""},
		"without review": {[]string{"--set", "drainHook.enabled=true"}, false, "needs listeners.admin.tokenReview"},
	} {
		objects, complaint := template(t, c.args...)
		if !strings.Contains(complaint, c.complaint) || (complaint == "") != (c.complaint == "") {
			t.Errorf("%s: helm says %q, want %q", name, complaint, c.complaint)
		}
		if complaint != "" {
			continue
		}
		pods, _ := podTemplate(t, objects)
		found := false
		for _, o := range objects {
			service, ok := o.(*corev1.Service)
			if !ok || !strings.HasSuffix(service.Name, "-drain") {
				continue
			}
			found = true
			port := service.Spec.Ports[0].TargetPort.StrVal
			listens := slices.ContainsFunc(pods.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool { return p.Name == port })
			if service.Spec.Type != corev1.ServiceTypeClusterIP || !listens {
				t.Errorf("%s: the Service is %+v", name, service.Spec)
			}
		}
		if found != c.enabled {
			t.Errorf("%s: the Service exists: %v", name, found)
		}
	}
}

// Replicas reach each other on the metrics port.
func TestChart_networkPolicyForReplicas(t *testing.T) {
	objects, complaint := template(t, "--set", "networkPolicy.enabled=true")
	if complaint != "" {
		t.Fatal(complaint)
	}
	for _, o := range objects {
		policy, ok := o.(*networkingv1.NetworkPolicy)
		if !ok {
			continue
		}
		for _, rule := range policy.Spec.Ingress {
			if len(rule.Ports) == 1 && rule.Ports[0].Port.StrVal == "metrics" && len(rule.From) == 1 && rule.From[0].PodSelector != nil &&
				rule.From[0].NamespaceSelector == nil && rule.From[0].PodSelector.MatchLabels["app.kubernetes.io/name"] == "limpet" {
				return
			}
		}
		t.Errorf("no rule for replicas: %+v", policy.Spec.Ingress)
		return
	}
	t.Error("no NetworkPolicy")
}
