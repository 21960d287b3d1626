-- How good were the forecasts that are over: errors beside those of "no change", and coverage?
-- A ratio above 1 is worse than forecasting nothing.
select
    model_name,
    horizon_sessions,
    count(*) as sessions,
    sum(realised_count) as outcomes,
    avg(mae_to_naive) as mean_mae_to_naive,
    avg(rank_correlation) as mean_rank_correlation,
    sum(coverage_80 * realised_count) / sum(realised_count) as coverage_80,
    sum(coverage_95 * realised_count) / sum(realised_count) as coverage_95
from forecast_accuracy
where realised_count > 0
group by all
order by horizon_sessions, mean_mae_to_naive, model_name;
