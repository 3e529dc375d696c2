// SPDX-License-Identifier: BSD-2-Clause

// An HTTP server of goroutines that compute in each request. usage: server [-compute MS] [-lock] [-hold MS] [-slots N] PORT
package main

import (
	"flag"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

func work(count int) (sum float64) {
	for i := 0; i < count; i++ {
		sum += math.Sqrt(float64(i))
	}
	return sum
}

// How far work() counts in a millisecond: the fastest of some tries.
func countPerMs() float64 {
	const count = 1000000
	best, sum := time.Hour, 0.0
	for i := 0; i < 20; i++ {
		start := time.Now()
		sum += work(count)
		if took := time.Since(start); took < best {
			best = took
		}
	}
	if math.IsNaN(sum) { // it is used, so that no loop is left out
		panic(sum)
	}
	return count / (best.Seconds() * 1000)
}

func main() {
	compute := flag.Float64("compute", 0, "milliseconds of computing in each request")
	lock := flag.Bool("lock", false, "under one mutex")
	hold := flag.Duration("hold", 0, "sleep for so long with it, or without")
	flag.Parse()
	var mutex sync.Mutex
	count := int(countPerMs() * *compute)
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		if *lock {
			mutex.Lock()
			defer mutex.Unlock()
		}
		time.Sleep(*hold)
		answer.Write([]byte(strconv.FormatFloat(work(count), 'f', 0, 64)))
	})
	panic(http.ListenAndServe("127.0.0.1:"+flag.Arg(0), nil))
}
