package controlplane_test

import (
	"context"
	"log"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/controlplane"
	"github.com/limpet-dev/limpet/test/sandbox"
)

func TestMain(m *testing.M) {
	if err := controlplane.Find(); err != nil {
		log.Fatal(err)
	}
	sandbox.Main(m, nil)
}

func TestStart_endpointSliceOfReadyPod(t *testing.T) {
	plane, err := controlplane.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if err := plane.StartControllerManager(); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, plane)
	if err := c.List(t.Context(), new(v1alpha1.AffinityPolicyList)); err != nil {
		t.Errorf("AffinityPolicy is not installed: %v", err)
	}
	pod := createReadyPod(t, c, "10.250.0.7")
	endpoint := waitForEndpoint(t, c)
	if endpoint.TargetRef == nil || endpoint.TargetRef.UID != pod.UID || endpoint.Addresses[0] != "10.250.0.7" {
		t.Errorf("endpoint = %+v, want pod %s at 10.250.0.7", endpoint, pod.UID)
	}
}

func newClient(t *testing.T, plane *controlplane.Plane) client.Client {
	t.Helper()
	c, err := client.New(plane.Config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := v1alpha1.AddToScheme(c.Scheme()); err != nil {
		t.Fatal(err)
	}
	return c
}

// createReadyPod creates a Service and a pod with the status that a kubelet would write.
func createReadyPod(t *testing.T, c client.Client, address string) *corev1.Pod {
	t.Helper()
	labels := map[string]string{"app": "cart"}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: "default"},
		Spec:       corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "cart-0", Namespace: "default", Labels: labels},
		Spec: corev1.PodSpec{
			NodeName:   "node",
			Containers: []corev1.Container{{Name: "app", Image: "none"}},
		},
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: pod.Spec.NodeName}}
	for _, object := range []client.Object{node, service, pod} {
		if err := c.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	pod.Status = corev1.PodStatus{
		Phase:      corev1.PodRunning,
		PodIP:      address,
		PodIPs:     []corev1.PodIP{{IP: address}},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
	}
	if err := c.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	return pod
}

func waitForEndpoint(t *testing.T, c client.Client) discoveryv1.Endpoint {
	t.Helper()
	var found discoveryv1.Endpoint
	see := func(ctx context.Context) (bool, error) {
		var slices discoveryv1.EndpointSliceList
		err := c.List(ctx, &slices, client.MatchingLabels{discoveryv1.LabelServiceName: "cart"})
		if err != nil || len(slices.Items) == 0 || len(slices.Items[0].Endpoints) == 0 {
			return false, err
		}
		found = slices.Items[0].Endpoints[0]
		return found.Conditions.Ready != nil && *found.Conditions.Ready, nil
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, see); err != nil {
		t.Fatalf("no ready endpoint: %v", err)
	}
	return found
}
