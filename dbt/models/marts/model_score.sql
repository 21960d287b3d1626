with scores as (

    select * from {{ ref('stg_model_scores') }}

),

served as (

    select
        training_run_id,
        count(*) as served_session_count,
        max(session_date) as last_served_session_date
    from {{ ref('stg_model_choices') }}
    group by training_run_id

),

final as (

    select
        scores.*,
        coalesce(served.served_session_count, 0) as served_session_count,
        served.last_served_session_date
    from scores
    left join served using (training_run_id)

)

select * from final
order by session_date, model_name, horizon_sessions, period
