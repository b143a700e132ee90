package controllers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/test/controlplane"
	"github.com/limpet-dev/limpet/test/sandbox"
	"github.com/limpet-dev/limpet/test/wait"
)

const (
	limpetNamespace = "limpet-system" // as in config/
	timeout         = 30 * time.Second
)

// All tests share one control plane and an uncached client with admin rights.
var (
	plane  *controlplane.Plane
	config *rest.Config
	admin  client.Client
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	if err := controlplane.Find(); err != nil {
		log.Fatal(err)
	}
	sandbox.Main(m, func() (func(), error) {
		var err error
		if plane, err = controlplane.Start(); err != nil {
			return nil, err
		}
		config = plane.Config
		stop := func() { _ = plane.Stop() }
		if err := setUp(); err != nil {
			stop()
			return nil, err
		}
		return stop, nil
	})
}

// setUp creates the namespace of Limpet and its RBAC objects from config/.
func setUp() error {
	var err error
	if admin, err = client.New(config, client.Options{Scheme: clientgoscheme.Scheme}); err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(admin.Scheme()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout) //nolint:forbidigo // TestMain has no test's context
	defer cancel()
	for _, file := range []string{
		"manager/namespace.yaml", "rbac/role.yaml", "rbac/role_binding.yaml", "rbac/service_account.yaml",
	} {
		objects, err := readManifest(file)
		if err != nil {
			return err
		}
		for _, object := range objects {
			if err := admin.Create(ctx, object); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return nil
}

// readManifest reads the objects of a file below config/.
func readManifest(file string) ([]client.Object, error) {
	f, err := os.Open(filepath.Join("../config", file))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var objects []client.Object
	for dec := yaml.NewYAMLOrJSONDecoder(f, 4096); ; {
		object := &unstructured.Unstructured{}
		if err := dec.Decode(&object.Object); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		objects = append(objects, object)
	}
}

// replica is a running instance of the controllers without a data plane.
type replica struct {
	name      string
	log       *logLines
	publisher *fakePublisher
	keys      *affinity.Keys
	stop      func()
	done      chan error // the return value of Run
}

// startReplica runs a replica until the test ends or stop is called.
func startReplica(t *testing.T, name string, change ...func(*Options)) *replica {
	t.Helper()
	r := newReplica(name)
	r.start(t, change...)
	return r
}

func newReplica(name string) *replica {
	r := &replica{name: name, keys: new(affinity.Keys), log: &logLines{}}
	r.publisher = newFakePublisher(r.keys)
	return r
}

// start runs the controllers with the permissions of the ServiceAccount.
func (r *replica) start(t *testing.T, change ...func(*Options)) {
	t.Helper()
	o := Options{
		Config:    rest.CopyConfig(config),
		Log:       r.log.logger(t).WithName(r.name),
		Namespace: limpetNamespace,
		Identity:  r.name,
		// The minimum: leases count whole seconds.
		LeaseDuration: time.Second,
		KeySecret:     DefaultKeySecret,
		KeyRotation:   DefaultKeyRotation,
	}
	o.Config.Impersonate.UserName = "system:serviceaccount:" + limpetNamespace + ":limpet"
	o.Config.UserAgent = r.name // becomes the field manager
	for _, f := range change {
		f(&o)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.done = make(chan error, 1)
	go func() { r.done <- Run(ctx, o, r.publisher, r.keys) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-r.done; err != nil {
			t.Errorf("replica %s: %v", r.name, err)
		}
	})
	t.Cleanup(r.stop)
}

// hasLogged returns a condition: the replica has logged a line that contains part.
func (r *replica) hasLogged(part string) func() bool {
	return func() bool { return r.log.contain(part) }
}

// newNamespace creates a namespace for the test. On cleanup it deletes the objects that replicas share, so it must
// be called before replicas are started.
func newNamespace(t *testing.T) (namespace string) {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	create(t, ns)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		for _, object := range []client.Object{keySecretObject(), lease()} {
			if err := admin.Delete(ctx, object); err != nil && !apierrors.IsNotFound(err) {
				t.Error(err)
			}
		}
		for _, all := range []client.Object{ingress("", ""), policy("", "", "")} {
			if err := admin.DeleteAllOf(ctx, all, client.InNamespace(ns.Name)); err != nil {
				t.Error(err)
			}
		}
	})
	return ns.Name
}

// eventually polls until cond returns true, and fails the test after timeout.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	wait.Until(t, what, cond)
}

func create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := admin.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
}

// get reads the current state of an object. It fails the test if the object does not exist.
func get[T client.Object](t *testing.T, object T) T {
	t.Helper()
	if err := admin.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		t.Fatal(err)
	}
	return object
}

// change applies edit as a merge patch, which cannot conflict with other writers.
func change[T client.Object](t *testing.T, object T, edit func(T)) {
	t.Helper()
	before, _ := get(t, object).DeepCopyObject().(client.Object)
	edit(object)
	if err := admin.Patch(t.Context(), object, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}
