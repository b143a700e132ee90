package chart

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const monitoredValues = "testdata/restricted/monitored.yaml"

// Helm must not evaluate the templates in the alerts, which are for Prometheus. Package test/rules tests the file.
func TestPrometheusRule_hasTheAlertsOfTheFile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chartDir, "files/alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var want ruleGroups
	if err := yaml.Unmarshal(text, &want); err != nil || len(want.Groups) == 0 {
		t.Fatalf("%d groups: %v", len(want.Groups), err)
	}
	objects, complaint := template(t, "--values", monitoredValues)
	found := false
	for _, o := range objects {
		if rule, ok := o.(*PrometheusRule); ok {
			found = true
			if !reflect.DeepEqual(rule.Spec, want) || rule.Labels["release"] != "prometheus" {
				t.Errorf("the rule with the labels %v differs from files/alerts.yaml", rule.Labels)
			}
		}
	}
	if !found {
		t.Errorf("there is no PrometheusRule: %s", complaint)
	}
}

func TestDashboards_oneConfigMapEach(t *testing.T) {
	objects, complaint := template(t, "--values", monitoredValues)
	var names []string
	for _, o := range objects {
		c, ok := o.(*corev1.ConfigMap)
		if !ok || c.Labels["grafana_dashboard"] != "1" {
			continue
		}
		for key, text := range c.Data {
			file := filepath.Join(chartDir, "dashboards", key[len("limpet-"):])
			if want, err := os.ReadFile(file); err != nil || text != string(want) {
				t.Errorf("%s differs from %s (%v)", key, file, err)
			}
			names = append(names, c.Name+" "+key)
		}
	}
	slices.Sort(names)
	want := []string{
		"edge-limpet-dashboard-operations limpet-operations.json", "edge-limpet-dashboard-overview limpet-overview.json",
		"edge-limpet-dashboard-sessions limpet-sessions.json",
	}
	if !slices.Equal(names, want) {
		t.Errorf("dashboards %v, want %v: %s", names, want, complaint)
	}
}

func TestMonitoring_offByDefault(t *testing.T) {
	objects, _ := template(t)
	for _, o := range objects {
		switch o.(type) {
		case *PrometheusRule, *PodMonitor, *ServiceMonitor:
			t.Errorf("%T is rendered by default", o)
		}
	}
}
