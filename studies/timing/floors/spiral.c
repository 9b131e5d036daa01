/* The floor of P1 and P2: pseudo-arclength by hand, nothing but the march.
 *
 * P1 has an analytic Jacobian, P2 the closed form of the 2x2 exponential and forward differences.
 * Steps are fixed, the fold is interpolated, no event is looked for.
 *
 *     cc -O2 spiral.c -o spiral -lm && ./spiral REPEATS STEP
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LARGEST 4 /* unknowns of P2 */

typedef void (*joint)(const double *z, double *f, double jacobian[LARGEST][LARGEST + 1]);

static long newton_iterations = 0;

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}

/* z = (a, b, lam) */
static void spiral(const double *z, double *f, double jacobian[LARGEST][LARGEST + 1]) {
    const double grow = exp(z[0]), sine = sin(z[1]), cosine = cos(z[1]), lam = z[2];
    f[0] = lam * z[0] - grow * sine + grow * grow;
    f[1] = lam * z[1] - grow * cosine;
    jacobian[0][0] = lam - grow * sine + 2 * grow * grow;
    jacobian[0][1] = jacobian[1][0] = -grow * cosine;
    jacobian[0][2] = z[0];
    jacobian[1][1] = lam + grow * sine;
    jacobian[1][2] = z[1];
}

static void exponential(const double m[4], double e[4]) {
    const double mean = 0.5 * (m[0] + m[3]), half = 0.5 * (m[0] - m[3]);
    const double square = half * half + m[1] * m[2];
    double even = 1 + square / 2, odd = 1 + square / 6;
    if (square > 1e-8) {
        const double root = sqrt(square);
        even = cosh(root);
        odd = sinh(root) / root;
    } else if (square < -1e-8) {
        const double root = sqrt(-square);
        even = cos(root);
        odd = sin(root) / root;
    }
    const double scale = exp(mean);
    e[0] = scale * (even + odd * half);
    e[1] = scale * odd * m[1];
    e[2] = scale * odd * m[2];
    e[3] = scale * (even - odd * half);
}

/* z = (c11, c12, c21, c22, lam): lam C - F^T (R - F), F = e^(C - C^T) e^(C^T) */
static void matrix_residual(const double *z, double *f) {
    const double angle = z[1] - z[2], cosine = cos(angle), sine = sin(angle);
    const double transposed[4] = {z[0], z[2], z[1], z[3]};
    double e[4];
    exponential(transposed, e);
    const double F[4] = {cosine * e[0] + sine * e[2], cosine * e[1] + sine * e[3],
                         cosine * e[2] - sine * e[0], cosine * e[3] - sine * e[1]};
    const double gap[4] = {-F[0], -1 - F[1], 1 - F[2], -F[3]};
    f[0] = z[4] * z[0] - (F[0] * gap[0] + F[2] * gap[2]);
    f[1] = z[4] * z[1] - (F[0] * gap[1] + F[2] * gap[3]);
    f[2] = z[4] * z[2] - (F[1] * gap[0] + F[3] * gap[2]);
    f[3] = z[4] * z[3] - (F[1] * gap[1] + F[3] * gap[3]);
}

static void matrix_equation(const double *z, double *f, double jacobian[LARGEST][LARGEST + 1]) {
    double moved[5], g[4];
    matrix_residual(z, f);
    for (int j = 0; j < 5; j++)
        moved[j] = z[j];
    for (int j = 0; j < 5; j++) {
        const double step = 1e-7 * (1 + fabs(z[j]));
        moved[j] = z[j] + step;
        matrix_residual(moved, g);
        moved[j] = z[j];
        for (int i = 0; i < 4; i++)
            jacobian[i][j] = (g[i] - f[i]) / step;
    }
}

/* Solve [jacobian; row] x = right for two unknowns by Cramer's rule. */
static inline void solve_two(double jacobian[LARGEST][LARGEST + 1], const double *row,
                             const double *right, double *x) {
    const double *p = jacobian[0], *q = jacobian[1];
    const double a = q[1] * row[2] - q[2] * row[1], b = q[2] * row[0] - q[0] * row[2];
    const double c = q[0] * row[1] - q[1] * row[0];
    const double scale = 1 / (p[0] * a + p[1] * b + p[2] * c);
    x[0] = scale * (a * right[0] + (p[2] * row[1] - p[1] * row[2]) * right[1] +
                    (p[1] * q[2] - p[2] * q[1]) * right[2]);
    x[1] = scale * (b * right[0] + (p[0] * row[2] - p[2] * row[0]) * right[1] +
                    (p[2] * q[0] - p[0] * q[2]) * right[2]);
    x[2] = scale * (c * right[0] + (p[1] * row[0] - p[0] * row[1]) * right[1] +
                    (p[0] * q[1] - p[1] * q[0]) * right[2]);
}

/* The same for more unknowns, by elimination with row pivoting. */
static inline void solve(int n, double jacobian[LARGEST][LARGEST + 1], const double *row,
                  const double *right, double *x) {
    double a[LARGEST + 1][LARGEST + 1];
    const int m = n + 1;
    if (n == 2) {
        solve_two(jacobian, row, right, x);
        return;
    }
    for (int i = 0; i < m; i++) {
        x[i] = right[i];
        for (int j = 0; j < m; j++)
            a[i][j] = i < n ? jacobian[i][j] : row[j];
    }
    for (int k = 0; k < m; k++) {
        int pivot = k;
        for (int i = k + 1; i < m; i++)
            if (fabs(a[i][k]) > fabs(a[pivot][k]))
                pivot = i;
        if (pivot != k) {
            for (int j = k; j < m; j++) {
                const double kept = a[k][j];
                a[k][j] = a[pivot][j];
                a[pivot][j] = kept;
            }
            const double kept = x[k];
            x[k] = x[pivot];
            x[pivot] = kept;
        }
        for (int i = k + 1; i < m; i++) {
            const double factor = a[i][k] / a[k][k];
            for (int j = k + 1; j < m; j++)
                a[i][j] -= factor * a[k][j];
            x[i] -= factor * x[k];
        }
    }
    for (int i = m - 1; i >= 0; i--) {
        for (int j = i + 1; j < m; j++)
            x[i] -= a[i][j] * x[j];
        x[i] /= a[i][i];
    }
}

/* March from lam = 1e-3 through the fold to lam = 1e-4; return the number of points. */
static inline __attribute__((always_inline)) int march(int n, joint evaluate, const double *start, double step, double *fold) {
    double z[LARGEST + 1], f[LARGEST], jacobian[LARGEST][LARGEST + 1];
    double tangent[LARGEST + 1] = {0}, right[LARGEST + 1], change[LARGEST + 1];
    double origin[LARGEST + 1], last_slope = 1, last_lam = 0;
    int points = 0;
    for (int i = 0; i <= n; i++)
        z[i] = start[i];
    tangent[n] = 1;
    *fold = 0;
    while (points < 100000) {
        double length = 0;
        evaluate(z, f, jacobian);
        for (int i = 0; i <= n; i++)
            right[i] = i == n;
        solve(n, jacobian, tangent, right, change);
        for (int i = 0; i <= n; i++)
            length += change[i] * change[i];
        for (int i = 0; i <= n; i++)
            tangent[i] = change[i] / sqrt(length);
        if (tangent[n] * last_slope < 0)
            *fold = last_lam + (z[n] - last_lam) * last_slope / (last_slope - tangent[n]);
        last_slope = tangent[n];
        last_lam = z[n];
        for (int i = 0; i <= n; i++)
            origin[i] = z[i] += step * tangent[i];
        for (int k = 0; k < 10; k++) {
            double largest = 0;
            evaluate(z, f, jacobian);
            right[n] = 0;
            for (int i = 0; i < n; i++)
                right[i] = -f[i];
            for (int i = 0; i <= n; i++)
                right[n] -= tangent[i] * (z[i] - origin[i]);
            solve(n, jacobian, tangent, right, change);
            for (int i = 0; i <= n; i++) {
                z[i] += change[i];
                largest = fmax(largest, fabs(change[i]));
            }
            newton_iterations++;
            if (largest < 1e-8)
                break;
        }
        points++;
        if (z[n] < 1e-4)
            break;
    }
    return points;
}

int main(int count, char **given) {
    const int repeats = count > 1 ? atoi(given[1]) : 2000;
    const double step = count > 2 ? atof(given[2]) : 0.03;
    const double real = -3.0753004601223464e-05, imaginary = 7.8461351769881462;
    const double vector[3] = {real, imaginary, 1e-3};
    const double matrix[5] = {real, -imaginary, imaginary, real, 1e-3};
    for (int problem = 1; problem <= 2; problem++) {
        long points = 0;
        double fold = 0;
        newton_iterations = 0;
        const double begun = seconds();
        for (int k = 0; k < repeats; k++)
            points += problem == 1 ? march(2, spiral, vector, step, &fold)
                                   : march(4, matrix_equation, matrix, step * sqrt(2.0), &fold);
        const double spent = seconds() - begun;
        printf("{\"tool\": \"floor: C\", \"problem\": \"P%d\", \"unknowns\": %d, \"points\": %ld, "
               "\"newton_per_point\": %.3f, \"warm_cpu_s\": %.9g, \"gross_us\": %.6f, "
               "\"net_us\": %.6f, \"largest_parameter\": %.12f}\n",
               problem, problem == 1 ? 2 : 4, points / repeats,
               (double)newton_iterations / points, spent / repeats, 1e6 * spent / points,
               1e6 * spent / points, fold);
    }
    return 0;
}
