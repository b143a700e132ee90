package chart

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

var (
	scheme  = newScheme()
	decoder = serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
)

func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(apiextensionsv1.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	s.AddKnownTypes(monitoring, &PodMonitor{}, &ServiceMonitor{}, &PrometheusRule{})
	return s
}

// monitoring is the part of the API of the Prometheus operator that the chart uses.
var monitoring = schema.GroupVersion{Group: "monitoring.coreos.com", Version: "v1"}

// PodMonitor has the fields of a PodMonitor that the chart uses.
type PodMonitor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Selector            metav1.LabelSelector `json:"selector"`
		PodMetricsEndpoints []monitored          `json:"podMetricsEndpoints"`
	} `json:"spec"`
}

// ServiceMonitor has the fields of a ServiceMonitor that the chart uses.
type ServiceMonitor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Selector  metav1.LabelSelector `json:"selector"`
		Endpoints []monitored          `json:"endpoints"`
	} `json:"spec"`
}

// PrometheusRule has the fields of a PrometheusRule that the chart uses.
type PrometheusRule struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              ruleGroups `json:"spec"`
}

type ruleGroups struct {
	Groups []struct {
		Name  string           `json:"name"`
		Rules []map[string]any `json:"rules"`
	} `json:"groups"`
}

// DeepCopyObject implements runtime.Object. It does not copy, because the objects are not modified.
func (m *PrometheusRule) DeepCopyObject() runtime.Object { c := *m; return &c }

type monitored struct {
	Port     string `json:"port"`
	Interval string `json:"interval"`
}

// DeepCopyObject implements runtime.Object. It does not copy, because the objects are not modified.
func (m *PodMonitor) DeepCopyObject() runtime.Object { c := *m; return &c }

// DeepCopyObject implements runtime.Object. It does not copy, because the objects are not modified.
func (m *ServiceMonitor) DeepCopyObject() runtime.Object { c := *m; return &c }

// decode decodes the objects of a YAML text strictly.
func decode(t *testing.T, text []byte) []client.Object {
	t.Helper()
	var out []client.Object
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if isEmpty(document) {
			continue
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		out = append(out, object.(client.Object))
	}
}

func isEmpty(document []byte) bool {
	for line := range bytes.Lines(document) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && string(line) != "---" {
			return false
		}
	}
	return true
}

// find returns the only object of a type, or the zero value if it is missing.
func find[T client.Object](t *testing.T, objects []client.Object) (found T) {
	t.Helper()
	n := 0
	for _, object := range objects {
		if o, ok := object.(T); ok {
			found, n = o, n+1
		}
	}
	if n > 1 {
		t.Fatalf("found %d objects of type %T, want one", n, found)
	}
	return found
}
