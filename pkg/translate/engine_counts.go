package translate

import "slices"

// counted is a key that occurs n times.
type counted[K comparable] struct {
	key K
	n   int
}

// counts is a small set of keys with their number of occurrences.
type counts[K comparable] []counted[K]

func (c *counts[K]) add(key K) {
	for i := range *c {
		if (*c)[i].key == key {
			(*c)[i].n++
			return
		}
	}
	*c = append(*c, counted[K]{key, 1})
}

func (c *counts[K]) remove(key K) {
	for i := range *c {
		if (*c)[i].key != key {
			continue
		}
		if (*c)[i].n--; (*c)[i].n == 0 {
			*c = slices.Delete(*c, i, i+1)
		}
		return
	}
}

// hasOther reports whether the set has another key.
func (c counts[K]) hasOther(key K) bool {
	return slices.ContainsFunc(c, func(have counted[K]) bool { return have.key != key })
}

// without removes the first occurrence of an element. The order changes.
func without[T comparable](list []T, element T) []T {
	i := slices.Index(list, element)
	if i < 0 {
		return list
	}
	last := len(list) - 1
	list[i] = list[last]
	var zero T
	list[last] = zero
	return list[:last]
}
