// SPDX-License-Identifier: BSD-2-Clause

import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/**
 * An HTTP server with a pool of threads. Arguments: PORT THREADS WHAT NUMBER, where WHAT is done in each request:
 * sleep for NUMBER milliseconds; lock: compute for so many in a synchronized block; free: compute outside of one; spin: compute
 * under a lock for which the others wait by yielding; heap: make NUMBER kilobytes of garbage while 40 MiB of others stay in use;
 * held: sleep for NUMBER milliseconds with a ReentrantLock; one: have one other thread compute; two: one of two; busy: sleep, while
 * a thread that has nothing to do with requests computes all the time.
 */
class Server {
	private static final AtomicBoolean taken = new AtomicBoolean();
	private static int keptPerThread;
	private static final ThreadLocal<ArrayDeque<byte[]>> kept = ThreadLocal.withInitial(() -> {
		ArrayDeque<byte[]> own = new ArrayDeque<>();
		for (int i = 0; i < keptPerThread; i++)
			own.addLast(new byte[240]);
		return own;
	});
	private static final ReentrantLock lock = new ReentrantLock();
	private static ExecutorService others;
	private static double countPerMs;

	static double work(long count) {
		double sum = 0;
		for (long i = 0; i < count; i++)
			sum += Math.sqrt(i);
		return sum;
	}

	/** How far work() counts in a millisecond: the fastest of some tries. */
	static double calibrate() {
		final long count = 1_000_000;
		long best = Long.MAX_VALUE;
		for (int i = 0; i < 50; i++) {
			long start = System.nanoTime();
			work(count);
			best = Math.min(best, System.nanoTime() - start);
		}
		return count / (best / 1e6);
	}

	/** Small objects that live for a while: the collector copies them. */
	static double makeGarbage(int kilobytes) {
		ArrayDeque<byte[]> own = kept.get();
		for (int i = 0; i < 4 * kilobytes; i++) {
			own.addLast(new byte[240]);
			own.removeFirst();
		}
		return own.size();
	}

	static double serve(String what, double number) throws InterruptedException, ExecutionException {
		switch (what) {
		case "held":
			lock.lock();
			try {
				Thread.sleep((long) number);
			} finally {
				lock.unlock();
			}
			return 0;
		case "one":
		case "two":
			return others.submit(() -> work((long) (number * countPerMs))).get();
		case "busy":
		case "sleep":
			Thread.sleep((long) number);
			return 0;
		case "lock":
			synchronized (Server.class) {
				return work((long) (number * countPerMs));
			}
		case "spin":
			while (!taken.compareAndSet(false, true))
				Thread.yield();
			try {
				return work((long) (number * countPerMs));
			} finally {
				taken.set(false);
			}
		case "heap":
			return makeGarbage((int) number);
		default:
			return work((long) (number * countPerMs));
		}
	}

	public static void main(String[] arguments) throws Exception {
		String what = arguments[2];
		double number = Double.parseDouble(arguments[3]);
		countPerMs = calibrate();
		keptPerThread = (40 << 20) / 256 / (Integer.parseInt(arguments[1]) + 1);
		others = Executors.newFixedThreadPool(what.equals("two") ? 2 : 1, task -> new Thread(task, "one"));
		for (int i = 0; i < 20; i++)
			serve(what, number / 4);
		if (what.equals("busy")) {
			Thread apart = new Thread(() -> {
				while (true)
					work(1_000_000);
			}, "apart");
			apart.setDaemon(true);
			apart.start();
		}
		HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 1024);
		server.setExecutor(Executors.newFixedThreadPool(Integer.parseInt(arguments[1])));
		server.createContext("/", exchange -> {
			try {
				byte[] answer = String.valueOf(serve(what, number)).getBytes();
				exchange.sendResponseHeaders(200, answer.length);
				exchange.getResponseBody().write(answer);
			} catch (InterruptedException | ExecutionException stopped) {
				Thread.currentThread().interrupt();
			} finally {
				exchange.close();
			}
		});
		server.start();
	}
}
