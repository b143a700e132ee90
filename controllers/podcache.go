package controllers

import (
	"crypto/sha256"
	"maps"
	"runtime"
	"slices"
	"sync"
	"weak"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// cachedPod has the parts of a pod that Limpet reads.
type cachedPod struct {
	key    types.NamespacedName
	uid    types.UID
	values *podValues
}

// podValues are the labels and the short annotations of a pod. Pods with equal ones share them: most pods of a Service do.
type podValues struct{ labels, annotations map[string]string }

// sharedValues finds equal podValues. It does not keep them in memory. It is safe for concurrent use.
type sharedValues struct {
	mu      sync.Mutex
	known   map[[sha256.Size]byte]weak.Pointer[podValues] // by the hash of what encodeValues returns
	encoded []byte                                        // buffer of read, guarded by mu
}

// lockedOf returns the values that are encoded like by encodeValues.
func (s *sharedValues) lockedOf(encoded []byte) *podValues {
	key := sha256.Sum256(encoded)
	if known := s.known[key].Value(); known != nil {
		return known
	}
	// All labels are kept, because a policy may reference any of them later.
	values := decodeValues(encoded)
	if s.known == nil {
		s.known = map[[sha256.Size]byte]weak.Pointer[podValues]{}
	}
	s.known[key] = weak.Make(values)
	runtime.AddCleanup(values, s.forget, key)
	return values
}

// forget forgets values that are no longer in memory.
func (s *sharedValues) forget(key [sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[key].Value() == nil { // otherwise a pod had the same values since
		delete(s.known, key)
	}
}

// reduce returns the parts of a pod that Limpet reads.
func (s *sharedValues) reduce(pod *metav1.PartialObjectMetadata) *cachedPod {
	maps.DeleteFunc(pod.Annotations, func(_, value string) bool { return len(value) > translate.MaxPodValue })
	s.mu.Lock()
	defer s.mu.Unlock()
	values := s.lockedOf(encodeValues(pod.Labels, pod.Annotations))
	return newCachedPod(pod.Namespace, pod.Name, string(pod.UID), values)
}

// read reads a message of type PartialObjectMetadata.
func (s *sharedValues) read(message []byte) (*received[cachedPod], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encoded = s.encoded[:0]
	m := wireMeta{values: &s.encoded}
	err := readMessage(message, func(f wireField) error {
		if f.number == 1 {
			return m.read(f.bytes)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	pod := newCachedPod(m.namespace, m.name, m.uid, s.lockedOf(s.encoded))
	return newReceived(pod, m.resourceVersion, m.initialEventsEnd), nil
}

// newCachedPod copies the texts.
func newCachedPod(namespace, name, uid string, values *podValues) *cachedPod {
	p := &cachedPod{key: types.NamespacedName{Namespace: shared(namespace), Name: name}, values: values}
	packTexts(&p.key.Name, &uid)
	p.uid = types.UID(uid)
	return p
}

func (p cachedPod) objectKey() types.NamespacedName { return p.key }

func (p cachedPod) equal(other *cachedPod) bool { return p == *other }

// GetObjectMeta implements metav1.ObjectMetaAccessor, from which a Reflector reads the name.
func (p *cachedPod) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: p.key.Namespace, Name: p.key.Name}
}

// object returns the pod as an object, nil for nil. It shares its maps with other pods, so callers must not modify them.
func (p *cachedPod) object() *metav1.PartialObjectMetadata {
	if p == nil {
		return nil
	}
	pod := podMetadata()
	pod.Namespace, pod.Name, pod.UID = p.key.Namespace, p.key.Name, p.uid
	pod.Labels, pod.Annotations = p.values.labels, p.values.annotations
	return pod
}

func (p *cachedPod) ref() model.Ref {
	return model.Ref{Kind: model.KindPod, Namespace: p.key.Namespace, Name: p.key.Name}
}

func (p *cachedPod) hasUnknownDrain() bool {
	return p != nil && translate.HasUnknownDrain(p.values.annotations)
}

// encodeValues returns labels and annotations as the fields of ObjectMeta.
func encodeValues(labels, annotations map[string]string) (fields []byte) {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		fields = appendEntry(fields, metaLabels, key, labels[key])
	}
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		fields = appendEntry(fields, metaAnnotations, key, annotations[key])
	}
	return fields
}

// decodeValues is the inverse of encodeValues. The texts share memory with equal texts of other objects.
func decodeValues(fields []byte) *podValues {
	values := &podValues{}
	_ = readMessage(fields, func(f wireField) error { // cannot fail, because appendEntry has written the fields
		key, value, _ := readEntry(f.bytes)
		to := &values.labels
		if f.number == metaAnnotations {
			to = &values.annotations
		}
		if *to == nil {
			*to = map[string]string{}
		}
		(*to)[shared(string(key))] = shared(string(value))
		return nil
	})
	return values
}
