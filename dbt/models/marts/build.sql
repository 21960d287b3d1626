with final as (

    select
        source,
        session_date,
        known_at_cut,
        data_snapshot
    from {{ ref('stg_cut') }}

)

select * from final
