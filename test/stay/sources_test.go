package stay

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/controlplane"
)

// source is where Limpet gets its configuration from.
type source interface {
	// apply creates an object, or replaces it.
	apply(t *testing.T, object client.Object)
	// start runs a Limpet that follows the source.
	start(t *testing.T) *limpet
}

// folder is a source of YAML files, for `limpet dev`.
type folder struct{ dir, keys string }

func newFolder(t *testing.T) *folder { return &folder{dir: t.TempDir(), keys: keyFile(t, keyA)} }

func (f *folder) apply(t *testing.T, object client.Object) {
	t.Helper()
	text, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	f.write(t, fileOf(object), text)
}

func fileOf(object client.Object) string {
	return strings.ToLower(object.GetObjectKind().GroupVersionKind().Kind) + "-" + object.GetName() + ".yaml"
}

// remove takes an object away.
func (f *folder) remove(t *testing.T, object client.Object) {
	t.Helper()
	if err := os.Remove(filepath.Join(f.dir, fileOf(object))); err != nil {
		t.Fatal(err)
	}
}

// write puts a file into the folder, or replaces it.
func (f *folder) write(t *testing.T, name string, text []byte) {
	t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil { // as editors save
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func (f *folder) start(t *testing.T) *limpet { return f.startWith(t) }

// startWith adds flags.
func (f *folder) startWith(t *testing.T, flags ...string) *limpet {
	t.Helper()
	return startLimpet(t, append([]string{"dev", "--manifests", f.dir, "--affinity-keys", f.keys}, flags...)...)
}

// cluster is a real API server, for `limpet run`.
type cluster struct {
	client.Client
	kubeconfig string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	plane, err := controlplane.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(plane.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	s := &cluster{Client: c, kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	if err := os.WriteFile(s.kubeconfig, plane.Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	s.apply(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	return s
}

func (c *cluster) apply(t *testing.T, object client.Object) {
	t.Helper()
	object = object.DeepCopyObject().(client.Object)
	err := c.Create(t.Context(), object)
	if apierrors.IsAlreadyExists(err) {
		current := object.DeepCopyObject().(client.Object)
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), current); err != nil {
			t.Fatal(err)
		}
		object.SetResourceVersion(current.GetResourceVersion())
		err = c.Update(t.Context(), object)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) start(t *testing.T) *limpet {
	t.Helper()
	return startLimpet(t, "run", "--kubeconfig", c.kubeconfig, "--namespace", namespace,
		"--publish-address", "192.0.2.10")
}
