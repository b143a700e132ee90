package controllers

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// podCache holds what is read of the pods. A cluster has far more pods than other objects, so it is not an informer: that keeps
// whole objects, and one set for each value of an index, which takes 100 MiB more for 100,000 pods.
//
// It is safe for concurrent use.
type podCache struct {
	// onChange is called for each pod that was created, changed or deleted, in the order of the changes of that pod. before is
	// nil for a new pod, and pod is nil for a deleted one.
	onChange func(before, pod *cachedPod)
	synced   chan struct{} // closed after the first list of each reflector

	mu       sync.RWMutex
	pods     map[types.NamespacedName]*cachedPod
	shared   map[string]*podValues // by podValues.key
	unsynced int                   // reflectors without a first list
}

// cachedPod is one pod. It is immutable.
type cachedPod struct {
	key    types.NamespacedName
	uid    types.UID
	values *podValues
}

// podValues are the labels and the short annotations of a pod. Pods with equal ones share them: most pods of a Service do.
type podValues struct {
	key                 string // encodes labels and annotations
	labels, annotations map[string]string
	users               int // cached pods that share it, guarded by podCache.mu
}

// newPodCache returns a podCache that is filled by a number of reflectors, each of which has other pods.
func newPodCache(reflectors int) *podCache {
	return &podCache{
		synced: make(chan struct{}), unsynced: reflectors,
		pods: map[types.NamespacedName]*cachedPod{}, shared: map[string]*podValues{},
	}
}

// newCachedPod returns what is read of a pod. Its values are those of known, if there are equal ones.
func newCachedPod(pod *metav1.PartialObjectMetadata, known map[string]*podValues) *cachedPod {
	maps.DeleteFunc(pod.Annotations, func(_, value string) bool { return len(value) > translate.MaxPodValue })
	key := encodeValues(pod.Labels, pod.Annotations)
	values := known[key]
	if values == nil {
		// All labels are kept, because a policy may reference any of them later.
		values = &podValues{key: key, labels: interned(pod.Labels), annotations: interned(pod.Annotations)}
	}
	name := types.NamespacedName{Namespace: unique.Make(pod.Namespace).Value(), Name: pod.Name}
	return &cachedPod{key: name, uid: pod.UID, values: values}
}

// get returns the metadata of a pod, or nil. It shares its maps with other pods, so callers must not modify them.
func (c *podCache) get(namespace, name string) *metav1.PartialObjectMetadata {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.pods[types.NamespacedName{Namespace: namespace, Name: name}].object()
}

// object returns the pod as an object, nil for nil.
func (p *cachedPod) object() *metav1.PartialObjectMetadata {
	if p == nil {
		return nil
	}
	pod := podMetadata()
	pod.Namespace, pod.Name, pod.UID = p.key.Namespace, p.key.Name, p.uid
	pod.Labels, pod.Annotations = p.values.labels, p.values.annotations
	return pod
}

// GetObjectMeta implements metav1.ObjectMetaAccessor, so that a Reflector can read the key of the pod.
func (p *cachedPod) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: p.key.Namespace, Name: p.key.Name}
}

// waitForSync waits for the first list of each reflector.
func (c *podCache) waitForSync(ctx context.Context) error {
	select {
	case <-c.synced:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// listed notes the first list of a reflector.
func (c *podCache) listed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unsynced--; c.unsynced == 0 {
		close(c.synced)
	}
}

// put adds or replaces a pod.
func (c *podCache) put(pod *metav1.PartialObjectMetadata) {
	c.mu.RLock()
	p := newCachedPod(pod, c.shared)
	c.mu.RUnlock()
	c.adopt(p)
}

// adopt adds or replaces a pod, and takes ownership of it.
func (c *podCache) adopt(p *cachedPod) {
	if before, changed := c.replace(p); changed {
		c.onChange(before, p)
	}
}

func (c *podCache) replace(p *cachedPod) (before *cachedPod, changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before = c.pods[p.key]
	if before != nil && before.uid == p.uid && before.values.key == p.values.key {
		return before, false
	}
	if before != nil {
		p.key = before.key // is in the map already
		c.lockedRelease(before.values)
	}
	if known := c.shared[p.values.key]; known != nil {
		p.values = known
	} else {
		c.shared[p.values.key] = p.values
	}
	p.values.users++
	c.pods[p.key] = p
	return before, true
}

// remove removes a pod.
func (c *podCache) remove(key types.NamespacedName) {
	c.mu.Lock()
	before := c.pods[key]
	if before != nil {
		delete(c.pods, key)
		c.lockedRelease(before.values)
	}
	c.mu.Unlock()
	if before != nil {
		c.onChange(before, nil)
	}
}

func (c *podCache) lockedRelease(values *podValues) {
	if values.users--; values.users == 0 {
		delete(c.shared, values.key)
	}
}

// keys returns the keys of all pods of a namespace. An empty namespace means all.
func (c *podCache) keys(namespace string) []types.NamespacedName {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var keys []types.NamespacedName
	for key := range c.pods {
		if namespace == "" || key.Namespace == namespace {
			keys = append(keys, key)
		}
	}
	return keys
}

// encodeValues returns a text that differs for different maps.
func encodeValues(all ...map[string]string) string {
	var b strings.Builder
	write := func(text string) {
		b.WriteString(strconv.Itoa(len(text)))
		b.WriteByte(':')
		b.WriteString(text)
	}
	for _, m := range all {
		b.WriteString(strconv.Itoa(len(m)))
		b.WriteByte(';')
		for _, key := range slices.Sorted(maps.Keys(m)) {
			write(key)
			write(m[key])
		}
	}
	return b.String()
}

// interned returns a map with the same content, whose strings share memory with equal strings of other objects.
func interned(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for key, value := range m {
		out[unique.Make(key).Value()] = unique.Make(value).Value()
	}
	return out
}
