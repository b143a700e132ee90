package controllers

import (
	"fmt"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// received is an object of a watch, of which only the reduced part was decoded. Its metadata has what a Reflector reads: the name
// and the resource version.
type received[T any] struct {
	metav1.ObjectMeta
	reduced *T
}

// newReceived copies the resource version.
func newReceived[T reduced[T]](object *T, resourceVersion string, initialEventsEnd bool) *received[T] {
	r := &received[T]{reduced: object}
	packTexts(&resourceVersion)
	key := (*object).objectKey()
	r.Namespace, r.Name, r.ResourceVersion = key.Namespace, key.Name, resourceVersion
	if initialEventsEnd {
		r.Annotations = map[string]string{metav1.InitialEventsAnnotationKey: "true"}
	}
	return r
}

// GetObjectKind implements runtime.Object.
func (*received[T]) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject implements runtime.Object. What is reduced is immutable.
func (r *received[T]) DeepCopyObject() runtime.Object {
	return &received[T]{ObjectMeta: *r.ObjectMeta.DeepCopy(), reduced: r.reduced}
}

// reducer reduces the objects of a kind.
type reducer[O client.Object, T reduced[T]] struct {
	kind string // in messages
	// read reads the message of an object. It copies what it keeps.
	read func(message []byte) (*received[T], error)
	// reduce reduces an object that was decoded as a whole.
	reduce func(O) *T
}

// watchScheme has the kinds that are decoded as a whole: lists, statuses, and objects in JSON.
var watchScheme = func() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(discoveryv1.AddToScheme(s))
	utilruntime.Must(metav1.AddMetaToScheme(s))
	metav1.AddToGroupVersion(s, schema.GroupVersion{Version: "v1"})
	return s
}()

var (
	watchCodecs     = serializer.NewCodecFactory(watchScheme).WithoutConversion()
	watchParameters = runtime.NewParameterCodec(watchScheme)
)

// reducingSerializer decodes the objects of watches with a reducer, and everything else like any client.
type reducingSerializer[O client.Object, T reduced[T]] struct {
	runtime.NegotiatedSerializer
	reducer[O, T]
}

// SupportedMediaTypes implements runtime.NegotiatedSerializer.
func (s *reducingSerializer[O, T]) SupportedMediaTypes() []runtime.SerializerInfo {
	all := s.NegotiatedSerializer.SupportedMediaTypes()
	out := make([]runtime.SerializerInfo, 0, len(all))
	for _, info := range all {
		info.Serializer = &reducingDecoder[O, T]{info.Serializer, &s.reducer}
		if info.MediaType == runtime.ContentTypeProtobuf {
			stream := *info.StreamSerializer
			stream.Serializer = &eventDecoder{stream.Serializer}
			info.StreamSerializer = &stream
		}
		out = append(out, info)
	}
	return out
}

// reducingDecoder returns a received for each single object.
type reducingDecoder[O client.Object, T reduced[T]] struct {
	runtime.Serializer
	by *reducer[O, T]
}

// Decode implements runtime.Decoder.
func (d *reducingDecoder[O, T]) Decode(
	data []byte, defaults *schema.GroupVersionKind, into runtime.Object,
) (runtime.Object, *schema.GroupVersionKind, error) {
	kind, message, found, err := unwrap(data)
	if err != nil {
		return nil, nil, err
	}
	if found && kind == d.by.kind {
		object, err := d.by.read(message)
		if err != nil {
			return nil, nil, fmt.Errorf("decoding an object of the kind %s: %w", d.by.kind, err)
		}
		return object, &schema.GroupVersionKind{Kind: d.by.kind}, nil
	}
	object, gvk, err := d.Serializer.Decode(data, defaults, into)
	whole, ok := object.(O)
	if err != nil || !ok {
		return object, gvk, err
	}
	initialEventsEnd := whole.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true"
	return newReceived(d.by.reduce(whole), whole.GetResourceVersion(), initialEventsEnd), gvk, nil
}

// eventDecoder decodes events of a watch. The object of the event refers to the data, because a watch decodes it before it reads
// the next event.
type eventDecoder struct{ runtime.Serializer }

// Decode implements runtime.Decoder.
func (d *eventDecoder) Decode(
	data []byte, defaults *schema.GroupVersionKind, into runtime.Object,
) (runtime.Object, *schema.GroupVersionKind, error) {
	event, ok := into.(*metav1.WatchEvent)
	if !ok {
		return d.Serializer.Decode(data, defaults, into)
	}
	err := readMessage(data, func(f wireField) error {
		switch f.number {
		case 1: // type
			event.Type = shared(f.text())
		case 2: // object
			return readMessage(f.bytes, func(f wireField) error {
				if f.number == 1 { // raw
					event.Object.Raw = f.bytes
				}
				return nil
			})
		}
		return nil
	})
	return event, &schema.GroupVersionKind{Version: "v1", Kind: "WatchEvent"}, err
}
