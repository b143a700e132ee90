package controllers

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"runtime"
	"slices"
	"sync"
	"unique"
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
	mu    sync.Mutex
	known map[[sha256.Size]byte]weak.Pointer[podValues] // by the hash of encodeValues
}

// of returns the values of a pod.
func (s *sharedValues) of(pod *metav1.PartialObjectMetadata) *podValues {
	maps.DeleteFunc(pod.Annotations, func(_, value string) bool { return len(value) > translate.MaxPodValue })
	key := sha256.Sum256(encodeValues(pod.Labels, pod.Annotations))
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.known[key].Value(); known != nil {
		return known
	}
	// All labels are kept, because a policy may reference any of them later.
	values := &podValues{labels: interned(pod.Labels), annotations: interned(pod.Annotations)}
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
	key := types.NamespacedName{Namespace: unique.Make(pod.Namespace).Value(), Name: pod.Name}
	uid := string(pod.UID)
	packTexts(&key.Name, &uid)
	return &cachedPod{key: key, uid: types.UID(uid), values: s.of(pod)}
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

// encodeValues returns a text that differs for different maps.
func encodeValues(all ...map[string]string) (text []byte) {
	write := func(one string) {
		text = append(binary.AppendUvarint(text, uint64(len(one))), one...)
	}
	for _, m := range all {
		text = binary.AppendUvarint(text, uint64(len(m)))
		for _, key := range slices.Sorted(maps.Keys(m)) {
			write(key)
			write(m[key])
		}
	}
	return text
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
